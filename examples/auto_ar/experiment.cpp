#include "experiment.hpp"

#include "fmsb/auto_ar.hpp"          // search, scores, presets
#include "fmsb/core/isa.hpp"         // isa::name
#include "fmsb/data/csv.hpp"         // read_csv_file
#include "fmsb/data/fill.hpp"        // fill_gaps
#include "fmsb/data/gaps.hpp"        // find_gaps
#include "fmsb/data/scaling.hpp"     // z_scored
#include "fmsb/data/sentinels.hpp"   // find_sentinels
#include "fmsb/data/timestamps.hpp"  // find_spacing
#include "fmsb/evaluate/floors.hpp"  // last_value
#include "fmsb/report/progress.hpp"  // progress
#include "fmsb/report/table.hpp"     // grouped

#include <algorithm>  // std::max
#include <chrono>     // std::chrono::steady_clock
#include <string>     // std::string
#include <variant>    // std::variant

namespace auto_ar {

namespace {

using namespace fmsb;

using forecaster = std::variant<ar::model, ar::linear_forecaster>;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 4; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > 4) out += " and " + std::to_string(names.size() - 4) + " more";
  return out;
}

data::series read(const options& wanted, data_result& about) {
  data::csv_options how;
  how.columns = wanted.columns;
  how.missing = wanted.missing;
  how.delimiter = wanted.delimiter[0];
  how.time_column = wanted.time_column;
  how.times = wanted.times == "repeats"   ? data::time_order::repeats
              : wanted.times == "ignored" ? data::time_order::ignored
                                          : data::time_order::rising;
  const auto file = data::read_csv_file(wanted.csv, how);
  auto rows = file.contents;
  about.checksum = file.checksum;
  about.bytes = file.bytes;
  about.rows = rows.length();
  about.channels = rows.channels();
  if (file.repeats > 0)
    about.remarks.push_back(std::to_string(file.repeats) +
                            (file.repeats == 1 ? " row repeats" : " rows repeat") +
                            " the time of the row above");
  if (rows.times().size() > 1) {
    about.first_time = data::print_timestamp(rows.times().front());
    about.last_time = data::print_timestamp(rows.times().back());
    try {
      const auto spacing = data::find_spacing(rows.times());
      about.step = data::print_step(spacing.step);
      if (spacing.absent > 0)
        about.remarks.push_back(std::to_string(spacing.absent) + " times are absent (" +
                                std::to_string(spacing.jumps) + " jumps, the first before row " +
                                std::to_string(spacing.first_jump + 1) +
                                "); rows are taken as neighbours all the same");
      const auto s = spacing.step.seconds;
      about.season = s == 0           ? (spacing.step.months == 1 ? 12 : 1)
                     : s < 86400      ? static_cast<std::size_t>(86400 / s)
                     : s == 86400     ? 7
                     : s == 7 * 86400 ? 52
                                      : 1;
    } catch (const data_error&) { about.step = "uneven"; }
  }
  if (wanted.season > 0) about.season = wanted.season;
  if (about.season == 0) about.season = 1;

  const auto codes = data::find_sentinels(rows);
  for (const auto& code : codes) {
    std::string value = std::to_string(code.value);
    value.erase(value.find_last_not_of('0') + 1);
    if (value.ends_with('.')) value.pop_back();
    about.remarks.push_back("channel \"" + rows.names()[code.channel] + "\" holds " + value + " " +
                            std::to_string(code.count) + (code.count == 1 ? " time" : " times") +
                            ", which looks like \"no measurement\"" +
                            (wanted.mask_sentinels ? "; masked" : "; kept (see --mask-sentinels)"));
  }
  if (wanted.mask_sentinels) rows = data::mask_sentinels(rows, codes);
  data::require_numbers(rows);
  const auto gaps = data::find_gaps(rows);
  std::size_t absent = 0, longest = 0;
  std::vector<std::string> with_gaps;
  for (const auto& g : gaps)
    absent += g.absent, longest = std::max(longest, g.longest), with_gaps.push_back(rows.names()[g.channel]);
  if (absent > 0) {
    const std::string what = std::to_string(absent) + " values are absent (" + list(with_gaps) +
                             "; longest stretch " + std::to_string(longest) + " rows)";
    if (wanted.fill == "none")
      throw data_error(wanted.csv.string() + ": " + what +
                       ". Pass --fill linear or cubic to bridge them, or segment to keep the longest "
                       "stretch without any.");
    if (wanted.fill == "segment") {
      const auto stretches = data::segments(rows);
      const auto& longest_one =
          *std::max_element(stretches.begin(), stretches.end(),
                            [](const auto& a, const auto& b) { return a.last - a.first < b.last - b.first; });
      about.remarks.push_back(what + "; kept is the longest stretch without any, rows " +
                              std::to_string(longest_one.first + 1) + " to " +
                              std::to_string(longest_one.last));
      rows = rows.slice(longest_one.first, longest_one.last);
    } else {
      about.remarks.push_back(what + ", filled (" + wanted.fill + ")");
      rows = data::fill_gaps(
          rows, {.method = wanted.fill == "cubic" ? data::fill_method::cubic : data::fill_method::linear});
    }
  }
  std::vector<std::string> constant;
  for (const auto c : data::constant_channels(rows)) constant.push_back(rows.names()[c]);
  if (!constant.empty()) about.remarks.push_back("constant throughout: " + list(constant));
  return rows;
}

data::splits split(const options& wanted, const data::series& rows) {
  const std::string& how = wanted.split;
  if (how == "ett-hour") return data::ett_hourly(rows);
  if (how == "ett-minute") return data::ett_minutely(rows);
  const auto parts = [&](std::size_t from) {
    std::vector<std::string> out{""};
    for (const char c : how.substr(from)) {
      if (c == ',')
        out.emplace_back();
      else
        out.back() += c;
    }
    return out;
  };
  if (how.starts_with("ratio:")) {
    const auto shares = parts(6);
    double v[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
      char* end = nullptr;
      if (shares.size() == 3) v[i] = std::strtod(shares[i].c_str(), &end);
      if (shares.size() != 3 || end == shares[i].c_str() || *end != 0)
        throw usage_error("--split: \"" + how + "\" should be three shares, as ratio:.7,.1,.2.");
    }
    return data::by_ratio(rows, v[0], v[1], v[2]);
  }
  if (how.starts_with("date:")) {
    const auto times = parts(5);
    const auto validation = data::parse_timestamp(times[0]);
    const auto test = times.size() == 2 ? data::parse_timestamp(times[1]) : std::nullopt;
    if (!validation || !test)
      throw usage_error("--split: \"" + how + "\" should be two times, as date:2017-07-01,2017-11-01.");
    return data::by_date(rows, *validation, *test);
  }
  throw usage_error("--split: \"" + how +
                    "\" is not known; take ett-hour, ett-minute, ratio:.7,.1,.2 or date:V,T.");
}

// Everything that depends on the preset and the method, behind one face.
class chooser {
 public:
  chooser(const options& wanted, const data::splits& parts)
      : wanted_(wanted), parts_(parts), method_(wanted.method) {
    if (wanted.preset == preset::best && wanted.method_given && method_ != method::ar_pooled &&
        method_ != method::direct_pooled)
      throw usage_error(
          "--preset best is the average of ar-pooled and direct-pooled; leave --method out, or take one of "
          "the two.");
    if (wanted.normal_intervals && (wanted.preset == preset::best || !one_model()))
      throw usage_error(
          "--interval-method normal needs one autoregression for all channels; take the empirical one.");
    if (wanted.preset == preset::best && !wanted.method_given) average_ = true;
    const auto half = average_                       ? ar::pooled_forecast::average
                      : method_ == method::ar_pooled ? ar::pooled_forecast::autoregression
                                                     : ar::pooled_forecast::direct;
    if (pooled()) {
      best_.emplace(parts.train, parts.validation, wanted.context, wanted.horizons, half);
      best_on_train_.emplace(parts.train.rows(), wanted.context);
      best_on_both_.emplace(known(), wanted.context);
    }
    if (one_model() || wanted.compare) {
      const std::size_t most = wanted.last_order > 0 ? wanted.last_order : wanted.context;
      search_.emplace(parts.train, parts.validation,
                      ar::order_space::range(wanted.first_order, most, wanted.differencing), wanted.context);
    }
  }

  bool pooled() const { return average_ || method_ == method::ar_pooled || method_ == method::direct_pooled; }
  bool one_model() const {
    return !average_ && (method_ == method::ols || method_ == method::burg || method_ == method::yule_walker);
  }
  ar::order_search& search() { return *search_; }

  /// Chooses for one horizon and says how.
  void choose(std::size_t horizon, horizon_result& out) {
    horizon_ = horizon;
    if (pooled()) {
      study_ = best_->choose(horizon);
      out.autoregression_strengths = study_->autoregression.strengths;
      out.direct_strengths = study_->direct.strengths;
      out.method = average_ ? "average of partially pooled autoregressions and direct regressions"
                   : method_ == method::ar_pooled ? "partially pooled autoregressions"
                                                  : "partially pooled direct regressions";
    } else if (one_model()) {
      verdict_ = wanted_.preset == preset::released ? search_->released(horizon)
                 : wanted_.preset == preset::paper  ? search_->paper(horizon)
                                                    : search_->rolling(horizon);
      out.verdict = verdict_;
      out.method = method_ == method::burg          ? "pooled autoregression, Burg"
                   : method_ == method::yule_walker ? "pooled autoregression, Yule-Walker"
                                                    : "pooled autoregression, least squares";
    } else {
      out.method = method_ == method::nlinear ? "pooled NLinear, closed form" : "pooled direct regression";
    }
  }

  /// Fitted on train alone, so that its errors on validation are those of a forecaster that has not seen it.
  forecaster fit_train() { return pooled() ? (*best_on_train_)(*study_) : fit(parts_.train.rows()); }

  /// Fitted on train and validation, as it is scored on test.
  forecaster refit() {
    if (pooled()) return (*best_on_both_)(*study_);
    if (one_model() && method_ == method::ols &&
        (wanted_.preset == preset::released || wanted_.preset == preset::paper))
      return search_->refit_released(verdict_.chosen);
    return fit(known());
  }

  /// The chosen forecaster fitted on the given rows.
  forecaster fit(const data::series& rows) const {
    if (pooled()) return ar::best_fit(rows, wanted_.context)(*study_);
    if (one_model()) {
      const auto& c = verdict_.chosen;
      if (method_ == method::ols) return ar::fit_tame(rows, c.order, c.differencing, horizon_);
      const auto y = ar::difference(rows, c.differencing);
      return (method_ == method::burg ? ar::fit_burg(y, c.order, c.differencing)
                                      : ar::fit_yule_walker(y, c.order, c.differencing))
          .at(c.order);
    }
    const ar::direct_form form{
        .centre = method_ == method::nlinear ? ar::window_centring::last_value : ar::window_centring::none,
        .intercept = true};
    const auto e =
        ar::direct_equations_of(ar::gram_of(ar::lag_moments::of(rows, wanted_.context + horizon_ - 1)),
                                wanted_.context, horizon_, form);
    const auto map = ar::to_linear_map(e, ar::solve_direct(e));
    return ar::linear_forecaster{std::vector<ar::linear_map>(rows.channels(), map)};
  }

 private:
  data::series known() const {
    return parts_.train.whole().slice(parts_.train.first(), parts_.validation.last());
  }

  const options& wanted_;
  const data::splits& parts_;
  method method_;
  bool average_ = false;
  std::size_t horizon_ = 0;
  std::optional<ar::best_search> best_;
  std::optional<ar::best_study> study_;
  std::optional<ar::best_fit> best_on_train_, best_on_both_;
  std::optional<ar::order_search> search_;
  ar::verdict verdict_;
};

// The paths of every channel after the end of `history`, in the channels' own units.
std::vector<std::vector<double>> forecast(const forecaster& m, const data::series& history,
                                          std::size_t horizon, const data::z_score& scale) {
  std::vector<std::vector<double>> out;
  for (std::size_t c = 0; c < history.channels(); ++c) {
    auto path = std::visit(
        [&](const auto& f) {
          if constexpr (std::is_same_v<std::decay_t<decltype(f)>, ar::model>)
            return ar::forecast(f, history.channel(c), horizon);
          else
            return ar::forecast(f.channels[c], history.channel(c));
        },
        m);
    for (double& v : path) v = scale.mean[c] + scale.deviation[c] * v;
    out.push_back(std::move(path));
  }
  return out;
}

// Offsets from the errors on validation of the model fitted on train, and their coverage on test.
void add_intervals(const options& wanted, const data::splits& parts, ar::window_grid grid,
                   const forecaster& early, const forecaster& fitted, horizon_result& out) {
  const auto offsets = std::visit(
      [&](const auto& f) {
        if constexpr (std::is_same_v<std::decay_t<decltype(f)>, ar::model>)
          if (wanted.normal_intervals) {
            const auto one_step = ar::score(f, parts.validation, {.context = grid.context, .horizon = 1});
            return ar::normal_intervals(f, one_step.mse, parts.train.whole().channels(), grid.horizon,
                                        wanted.levels);
          }
        return ar::calibrate_intervals(f, parts.validation.with_history(grid.context), grid.context,
                                       grid.horizon, {.levels = wanted.levels});
      },
      early);
  std::vector<metrics::interval_accumulator> total;
  std::vector<std::vector<metrics::interval_accumulator>> by_step;
  for (const double level : wanted.levels) {
    total.emplace_back(level);
    by_step.emplace_back(grid.horizon, metrics::interval_accumulator(level));
  }
  std::visit(
      [&](const auto& f) {
        ar::for_each_interval(offsets, f, parts.test.with_history(grid.context), grid.context,
                              [&](std::size_t level, std::size_t step, std::span<const double> errors,
                                  ar::interval_bounds bounds) {
                                by_step[level][step - 1].add_errors(errors, bounds.lower, bounds.upper);
                              });
      },
      fitted);
  for (std::size_t l = 0; l < wanted.levels.size(); ++l) {
    interval_result one;
    one.level = wanted.levels[l];
    for (const auto& step : by_step[l]) {
      one.coverage_by_step.push_back(step.result().coverage);
      total[l].merge(step);
    }
    one.on_test = total[l].result();
    for (std::size_t c = 0; c < offsets.channels; ++c) {
      one.lower.emplace_back();
      one.upper.emplace_back();
      for (std::size_t h = 1; h <= grid.horizon; ++h) {
        one.lower.back().push_back(offsets.at(l, c, h).lower);
        one.upper.back().push_back(offsets.at(l, c, h).upper);
      }
    }
    out.intervals.push_back(std::move(one));
  }
}

// Errors of fits on one window each, over all test windows.
metrics::forecast_errors score_zero_shot(const data::test_part& test, ar::window_grid grid) {
  metrics::error_accumulator errors(grid.horizon);
  ar::for_each_zero_shot_error(
      test.with_history(grid.context), {.context = grid.context, .horizon = grid.horizon},
      [&](std::size_t, std::size_t step, std::span<const double> of_step) { errors.add(step - 1, of_step); });
  return errors.result();
}

void require_windows(const options& wanted, const data::splits& parts) {
  const std::size_t longest = *std::max_element(wanted.horizons.begin(), wanted.horizons.end());
  const auto say = [&](const std::string& what, std::size_t rows, std::size_t need) {
    throw data_error(wanted.csv.string() + ": the " + what + " part (split " + parts.name + ") has " +
                     std::to_string(rows) + " rows, too few for " + std::to_string(need) +
                     "; shorten --context or --horizon, or give it a larger share.");
  };
  if (parts.train.length() < wanted.context + longest)
    say("train", parts.train.length(), wanted.context + longest);
  if (parts.validation.length() < longest) say("validation", parts.validation.length(), longest);
  if (parts.test.length() < longest) say("test", parts.test.length(), longest);
}

}  // namespace

results run(const options& wanted) {
  const c10::InferenceMode no_gradients;
  if (wanted.threads > 0) at::set_num_threads(static_cast<int>(wanted.threads));
  const double start = now();
  results found;
  found.isa = isa::name(isa::current());
  found.threads = static_cast<std::size_t>(at::get_num_threads());
  found.series = read(wanted, found.data);
  found.data.read_seconds = now() - start;
  if (!wanted.channel.empty() && std::find(found.series.names().begin(), found.series.names().end(),
                                           wanted.channel) == found.series.names().end())
    throw usage_error("--channel: " + wanted.csv.string() + " has no channel \"" + wanted.channel +
                      "\"; it has " + list(found.series.names()) + ".");
  const auto raw = split(wanted, found.series);
  require_windows(wanted, raw);
  found.data.split = raw.name;
  found.data.train = raw.train.length();
  found.data.validation = raw.validation.length();
  found.data.test = raw.test.length();
  found.data.used_rows = found.test_last = raw.test.last();
  const auto scale = data::z_score::fit(raw.train.rows());
  found.deviation = scale.deviation;
  const auto parts = data::z_scored(raw);
  const auto all = scale.apply(found.series);

  chooser choice(wanted, parts);
  report::progress line("horizons", wanted.horizons.size());
  for (const std::size_t horizon : wanted.horizons) {
    horizon_result out;
    out.horizon = horizon;
    const ar::window_grid grid{wanted.context, horizon};
    double at = now();
    choice.choose(horizon, out);
    const auto fitted = choice.refit();
    out.select_seconds = now() - at;
    at = now();
    out.errors = std::visit([&](const auto& f) { return ar::score(f, parts.test, grid); }, fitted);
    out.test_seconds = now() - at;
    if (const auto* m = std::get_if<ar::model>(&fitted)) out.model = *m;

    out.floors.push_back({"last value", metrics::last_value(parts.test, horizon)});
    if (found.data.season > 1) {
      const std::string season = std::to_string(found.data.season);
      out.floors.push_back(
          {"seasonal " + season, metrics::seasonal_naive(parts.test, horizon, found.data.season)});
      if (wanted.context >= found.data.season)
        out.floors.push_back(
            {found.data.step == "hourly" && found.data.season == 24 ? "daily mean" : "mean of " + season,
             metrics::average_season(parts.test, horizon, found.data.season, wanted.context)});
    }
    if (wanted.zero_shot) out.zero_shot = score_zero_shot(parts.test, grid);
    if (!wanted.levels.empty()) add_intervals(wanted, parts, grid, choice.fit_train(), fitted, out);
    if (wanted.compare) {
      auto& s = choice.search();
      const auto add = [&](ar::verdict v, const ar::model& m) {
        out.alternatives.push_back({std::move(v), ar::score(m, parts.test, grid)});
      };
      const auto add_refitted = [&](const ar::verdict& v) { add(v, s.refit(v.chosen, horizon)); };
      add_refitted(s.rolling(horizon));
      add_refitted(s.hold_out(horizon));
      for (const auto which :
           {ar::criterion::aic, ar::criterion::aicc, ar::criterion::bic, ar::criterion::hqic})
        add_refitted(s.one_step(which));
      auto released = s.released(horizon), paper = s.paper(horizon);
      add(released, s.refit_released(released.chosen));
      add(paper, s.refit_released(paper.chosen));
    }
    if (!wanted.plot.empty())
      out.last_window = forecast(fitted, all.slice(0, found.test_last - horizon), horizon, scale);
    if (!wanted.forecast.empty()) out.future = forecast(choice.fit(all), all, horizon, scale);
    found.horizons.push_back(std::move(out));
    line.advance();
  }
  found.total_seconds = now() - start;
  return found;
}

}  // namespace auto_ar
