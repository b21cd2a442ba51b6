#include "fmsb/core/error.hpp"    // usage_error, data_error
#include "fmsb/core/version.hpp"  // version

#include "experiment.hpp"  // run
#include "options.hpp"     // options
#include "outputs.hpp"     // to_text, write_files

#include <CLI/CLI.hpp>

#include <cstdio>      // std::fputs
#include <exception>   // std::exception
#include <filesystem>  // std::filesystem::path
#include <map>         // std::map
#include <string>      // std::string

namespace {

constexpr int kUsage = 2, kData = 3;

constexpr const char* kAbout =
    "Auto-AR: how well does one autoregression, its lookback and differencing chosen from the data, "
    "forecast\n"
    "this series? Reads a CSV file (a time column and one column a channel), chooses on train and "
    "validation,\n"
    "refits, and scores every window of the test part beside forecasts that need no model.";

constexpr const char* kExamples = R"(Examples:
  auto_ar --csv ETTh1.csv --split ett-hour --horizon 96,720
      the two ends of the usual table, chosen by rolling origins
  auto_ar --csv ETTh1.csv --split ett-hour --preset released
      the released program's own rule, to compare with its figures
  auto_ar --csv sales.csv --horizon 28 --intervals .8,.95 --forecast next.csv --plot next.svg
      four weeks ahead with prediction intervals, as a table and as a picture
  auto_ar --csv weather.csv.gz --times repeats --mask-sentinels --fill linear --preset best
      a logger's file with a repeated row and -9999 for "no measurement"

Presets:
  recommended  every order up to the context, chosen by rolling origins; one difference unless all
               channels are stationary in level and the origins prefer none
  best         every channel's model shrunk towards the common one; autoregressive and direct forecasts averaged
  paper        lookbacks up to the context, at most one difference, in-sample score
  released     the released program to the letter: 64, 96, 128 or 192 lags, up to two differences

Errors are in units of each channel's standard deviation over the train rows.
Exit codes: 0 done, 2 the command line cannot be carried out, 3 the data cannot be used.)";

std::vector<double> numbers(const std::string& text, const std::string& option) {
  std::vector<double> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string cell = text.substr(at, end - at);
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(cell, &used);
    } catch (const std::exception&) { used = 0; }
    if (used == 0 || used != cell.size())
      throw fmsb::usage_error(option + ": \"" + cell +
                              "\" is not a number; numbers are separated by commas.");
    out.push_back(value);
    at = end + 1;
  }
  return out;
}

std::size_t whole(double value, const std::string& option, double least) {
  if (!(value >= least && value < 1e9) || value != static_cast<double>(static_cast<std::size_t>(value)))
    throw fmsb::usage_error(option + " takes whole numbers from " + std::to_string(static_cast<int>(least)) +
                            "; got " + std::to_string(value) + ".");
  return static_cast<std::size_t>(value);
}

// Told before the work begins rather than after it.
void require_writable(const auto_ar::options& wanted) {
  for (const auto* file : {&wanted.forecast, &wanted.report, &wanted.plot}) {
    if (file->empty()) continue;
    const auto folder = file->has_parent_path() ? file->parent_path() : std::filesystem::path(".");
    if (!std::filesystem::is_directory(folder))
      throw fmsb::usage_error(file->string() + " cannot be written: there is no folder " + folder.string() +
                              ".");
  }
  const auto extension = wanted.plot.extension();
  if (!wanted.plot.empty() && extension != ".svg" && extension != ".png" && extension != ".pdf")
    throw fmsb::usage_error("--plot: " + wanted.plot.string() +
                            " should end in .svg, .png or .pdf, which names the format.");
}

}  // namespace

int main(int argc, char** argv) {
  using auto_ar::method;
  using auto_ar::preset;
  auto_ar::options wanted;
  CLI::App app{kAbout, "auto_ar"};
  app.footer(kExamples);
  app.set_version_flag("--version", "auto_ar " + std::string(fmsb::version));
  app.get_formatter()->column_width(34);

  std::string preset_name = "recommended", method_name = "ols";
  std::string horizons = "96", orders, differencing = "0,1", levels;

  app.add_option("--csv", wanted.csv, "the data: .csv or .csv.gz")->required()->type_name("FILE");
  app.add_option("--horizon", horizons, "steps ahead, one or several (default 96)")->type_name("N[,N...]");
  app.add_option("--context", wanted.context, "rows that a forecast may read (default 512)")->type_name("N");
  app.add_option("--split", wanted.split,
                 "ett-hour, ett-minute, ratio:A,B,C (default ratio:.7,.1,.2), or date:V,T, the "
                 "first times of validation and test")
      ->type_name("HOW");
  app.add_option("--preset", preset_name, "released, paper, recommended (default) or best")
      ->check(CLI::IsMember(&auto_ar::preset_names).description(""))
      ->type_name("NAME");
  auto* method_option = app.add_option("--method", method_name,
                                       "ols (default), burg, yule-walker; direct, nlinear (a regression for "
                                       "every step); ar-pooled, direct-pooled (the halves of best)")
                            ->check(CLI::IsMember(&auto_ar::method_names).description(""))
                            ->type_name("NAME");
  auto* orders_option =
      app.add_option("--orders", orders, "candidate lags of recommended (default 1 up to the context)")
          ->type_name("A:B");
  auto* differencing_option =
      app.add_option(
             "--differencing", differencing,
             "candidate differences of recommended (default 0,1); 1 is preferred where it is one of them")
          ->type_name("D[,D...]");
  app.add_option("--intervals", levels, "prediction intervals of these levels, as .8,.95")
      ->type_name("L[,L...]");
  std::string interval_method = "empirical";
  app.add_option(
         "--interval-method", interval_method,
         "empirical (default): quantiles of the errors on validation; normal: from the model's own variance")
      ->check(CLI::IsMember({"empirical", "normal"}).description(""))
      ->type_name("NAME");
  app.add_flag("--zero-shot", wanted.zero_shot, "also fit every test window on its own context alone");
  app.add_flag("--compare-criteria", wanted.compare, "also show what other criteria would have chosen");
  app.add_option("--season", wanted.season,
                 "rows a season, for the naive forecasts (default from the time step)")
      ->type_name("N");
  app.add_option("--columns", wanted.columns, "channels to use (default all)")
      ->delimiter(',')
      ->type_name("NAME[,NAME...]");
  app.add_option("--time-column", wanted.time_column, "the column of timestamps (default: found)")
      ->type_name("NAME");
  app.add_option("--times", wanted.times, "rising (default); repeats: equal neighbours are kept; ignored")
      ->check(CLI::IsMember({"rising", "repeats", "ignored"}).description(""))
      ->type_name("RULE");
  app.add_option("--delimiter", wanted.delimiter, "what separates cells, one character (default a comma)")
      ->type_name("CHAR");
  app.add_option("--missing", wanted.missing, "words that mean a gap, beside the empty cell")
      ->delimiter(',')
      ->type_name("WORD[,WORD...]");
  app.add_option("--fill", wanted.fill,
                 "gaps: none (default: an error), linear, cubic, or segment: the longest stretch without any")
      ->check(CLI::IsMember({"none", "linear", "cubic", "segment"}).description(""))
      ->type_name("HOW");
  app.add_flag("--mask-sentinels", wanted.mask_sentinels, "turn codes such as -9999 into gaps");
  app.add_option("--threads", wanted.threads, "threads (default 1: most runs take about a second); 0 for all")
      ->type_name("N");
  app.add_option("--channel", wanted.channel, "the channel to draw (default the last)")->type_name("NAME");
  app.add_option("--forecast", wanted.forecast, "write the forecast after the end of the file")
      ->type_name("OUT.csv");
  app.add_option("--report", wanted.report, "write everything that was found")->type_name("OUT.json");
  app.add_option("--plot", wanted.plot, "draw forecast, error by horizon and criterion")
      ->type_name("OUT.svg|png|pdf");

  try {
    app.parse(argc, argv);
    wanted.preset = auto_ar::preset_names.at(preset_name);
    wanted.method = auto_ar::method_names.at(method_name);
    wanted.method_given = method_option->count() > 0;
    const bool searches = wanted.preset == preset::recommended &&
                          (method_name == "ols" || method_name == "burg" || method_name == "yule-walker");
    if (!searches && !wanted.compare && orders_option->count() + differencing_option->count() > 0)
      throw fmsb::usage_error(
          "--orders and --differencing are the candidates of the preset recommended with one autoregression; "
          "--preset " +
          preset_name + " with --method " + method_name + " does not search among them.");
    wanted.horizons.clear();
    for (double h : numbers(horizons, "--horizon")) wanted.horizons.push_back(whole(h, "--horizon", 1));
    wanted.differencing.clear();
    for (double d : numbers(differencing, "--differencing"))
      wanted.differencing.push_back(static_cast<int>(whole(d, "--differencing", 0)));
    for (int d : wanted.differencing)
      if (d > 2)
        throw fmsb::usage_error("--differencing: " + std::to_string(d) +
                                " is too often; 0, 1 or 2 can be had.");
    if (!levels.empty()) wanted.levels = numbers(levels, "--intervals");
    for (double l : wanted.levels)
      if (!(l > 0 && l < 1))
        throw fmsb::usage_error("--intervals: levels lie between 0 and 1, as .8 for four fifths.");
    if (!orders.empty()) {
      const auto colon = orders.find(':');
      if (colon == std::string::npos)
        throw fmsb::usage_error("--orders: \"" + orders +
                                "\" should be the first and the last lag, as 1:511.");
      wanted.first_order = whole(numbers(orders.substr(0, colon), "--orders")[0], "--orders", 1);
      wanted.last_order = whole(numbers(orders.substr(colon + 1), "--orders")[0], "--orders", 1);
      if (wanted.first_order > wanted.last_order)
        throw fmsb::usage_error("--orders: " + orders + " holds no order; the smaller number comes first.");
    }
    if (wanted.delimiter.size() != 1)
      throw fmsb::usage_error("--delimiter: \"" + wanted.delimiter + "\" should be one character, as ';'.");
    if (wanted.context < 2) throw fmsb::usage_error("--context: a forecast reads at least 2 rows.");
    wanted.normal_intervals = interval_method == "normal";
    require_writable(wanted);
    const auto found = auto_ar::run(wanted);
    auto_ar::write_files(wanted, found);
    std::fputs(auto_ar::to_text(wanted, found).c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : kUsage;
  } catch (const fmsb::usage_error& e) {
    std::fprintf(stderr, "auto_ar: %s\n", e.what());
    return kUsage;
  } catch (const fmsb::data_error& e) {
    std::fprintf(stderr, "auto_ar: %s\n", e.what());
    return kData;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "auto_ar: %s\n", e.what());
    return 1;
  }
}
