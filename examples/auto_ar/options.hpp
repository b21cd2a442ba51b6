#pragma once
#include <cstddef>     // std::size_t
#include <filesystem>  // std::filesystem::path
#include <map>         // std::map
#include <string>      // std::string
#include <vector>      // std::vector

namespace auto_ar {

enum class preset { released, paper, recommended, best };
enum class method { ols, ar_pooled, direct, direct_pooled, nlinear, burg, yule_walker };

/// The words of the command line and of the report.
inline const std::map<std::string, preset> preset_names{{"released", preset::released},
                                                        {"paper", preset::paper},
                                                        {"recommended", preset::recommended},
                                                        {"best", preset::best}};
inline const std::map<std::string, method> method_names{{"ols", method::ols},
                                                        {"ar-pooled", method::ar_pooled},
                                                        {"direct", method::direct},
                                                        {"burg", method::burg},
                                                        {"nlinear", method::nlinear},
                                                        {"direct-pooled", method::direct_pooled},
                                                        {"yule-walker", method::yule_walker}};

template <class Choice>
std::string name_of(Choice choice, const std::map<std::string, Choice>& names) {
  for (const auto& [name, value] : names)
    if (value == choice) return name;
  return {};
}

/// What the command line asked for.
struct options {
  std::filesystem::path csv;
  std::vector<std::size_t> horizons{96};
  std::size_t context = 512;
  std::string split = "ratio:.7,.1,.2";
  auto_ar::preset preset = auto_ar::preset::recommended;
  bool method_given = false;
  auto_ar::method method = auto_ar::method::ols;
  std::size_t first_order = 1, last_order = 0;  ///< 0: as long as the context allows
  std::vector<int> differencing{0, 1};
  std::vector<double> levels;     ///< of prediction intervals
  bool normal_intervals = false;  ///< by normal theory instead of validation errors
  bool zero_shot = false;
  bool compare = false;     ///< what every criterion would have chosen, and its test error
  std::size_t season = 0;   ///< 0: from the time step
  std::size_t threads = 1;  ///< 0: all

  std::vector<std::string> columns;
  std::string time_column;
  std::string times = "rising";
  std::string delimiter = ",";
  std::vector<std::string> missing;
  std::string fill = "none";
  bool mask_sentinels = false;

  std::string channel;  ///< the one that is drawn; the last when empty
  std::filesystem::path forecast, report, plot;
};

}  // namespace auto_ar
