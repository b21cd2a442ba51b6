#pragma once
#include "fmsb/models/chronos/config.hpp"   // config
#include "fmsb/models/chronos/windows.hpp"  // windows
#include "fmsb/train/history.hpp"           // history

#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::path
#include <span>        // std::span
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

namespace driver {

using values = std::span<const double>;

/// Sample paths of several series, [series, samples, horizon].
struct paths {
  std::size_t samples = 0, horizon = 0;
  std::vector<float> numbers{};

  std::span<const float> of(std::size_t series) const {
    return std::span(numbers).subspan(series * samples * horizon, samples * horizon);
  }
};

struct sampling {
  std::size_t horizon = 0;  ///< 0: as the model was trained for
  std::size_t samples = 20;
  std::uint64_t seed = 1;
  std::string progress{};  ///< what the progress line calls it
};

/// A past and what followed it.
using past_and_future = std::pair<values, values>;

struct training {
  std::uint64_t steps = 1000, batch = 32;
  std::uint64_t validate_every = 100;
  double rate = 1e-3;    ///< falls in a line to 0
  double blanked = 0;    ///< see chronos::example_options
  double clip_norm = 0;  ///< 0: any
  std::uint64_t seed = 1;
  bool keep_best = true;
  std::vector<past_and_future> held_out{};
  std::filesystem::path checkpoint{}, log{};
  std::string about{};  ///< what else a run that goes on must agree on
  std::string progress{};
};

/// A Chronos model of one type, behind which size and adapters are decided: no caller sees torch.
class network {
 public:
  network() = default;
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  virtual ~network() = default;

  virtual const fmsb::chronos::config& tokens() const = 0;
  /// Numbers that training changes, and all that the model holds.
  virtual std::pair<std::int64_t, std::int64_t> counts() const = 0;
  virtual paths forecast(std::span<const values> pasts, const sampling& how) = 0;
  /// Mean cross-entropy of the tokens that followed.
  virtual double loss(std::span<const past_and_future> windows) = 0;
  virtual fmsb::train::history fit(const fmsb::chronos::windows& examples, const training& how) = 0;
  /// Merged, as a Hugging Face folder. @throws usage_error where the merged model has no place in one
  virtual void save(const std::filesystem::path& folder) const = 0;
  /// The adapters alone, in peft's format: the folder itself, or one folder in it for each of several
  /// methods.
  virtual void save_adapter(const std::filesystem::path& folder, const std::string& base) const = 0;
  virtual void load_adapter(const std::filesystem::path& folder) = 0;
};

}  // namespace driver
