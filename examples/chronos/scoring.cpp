#include "scoring.hpp"

#include "fmsb/core/error.hpp"                    // usage_error
#include "fmsb/core/number_text.hpp"              // number_text
#include "fmsb/core/version.hpp"                  // version
#include "fmsb/evaluate/forecast_evaluation.hpp"  // forecast_evaluation
#include "fmsb/report/forecast_panels.hpp"        // forecast_panel
#include "fmsb/report/plot.hpp"                   // draw
#include "fmsb/report/table.hpp"                  // table, fixed, grouped

#include <algorithm>  // std::sort
#include <cmath>      // std::isnan
#include <numeric>    // std::accumulate

namespace driver {

namespace {

using namespace fmsb;
using report::fixed, report::grouped;

/// Mean or a quantile over the paths, step by step.
template <class OfStep>
std::vector<double> over_paths(std::span<const float> drawn, std::size_t horizon, OfStep&& of_step) {
  std::vector<double> out, step;
  for (std::size_t h = 0; h < horizon; ++h) {
    step.clear();
    for (std::size_t i = h; i < drawn.size(); i += horizon) step.push_back(double{drawn[i]});
    out.push_back(of_step(step));
  }
  return out;
}

std::vector<double> quantile(std::span<const float> drawn, std::size_t horizon, double level) {
  return over_paths(drawn, horizon, [&](std::vector<double>& step) {
    return metrics::quantiles_of(step, std::array{level})[0];
  });
}

std::vector<double> point_of(std::span<const float> drawn, std::size_t horizon, const std::string& point) {
  if (point == "median") return quantile(drawn, horizon, 0.5);
  return over_paths(drawn, horizon, [](const std::vector<double>& step) {
    return std::accumulate(step.begin(), step.end(), 0.0) / static_cast<double>(step.size());
  });
}

report::panel picture_of(const test_set& test, std::size_t target, const std::vector<named_paths>& models) {
  const auto& windows = test.windows[target];
  const std::size_t number = windows.size() / 2;
  const auto& w = windows[number];
  const std::size_t horizon = w.horizon.size();
  report::forecast_picture picture{.title = test.targets[target] + ", a window of the test part",
                                   .x_label = "rows from the origin",
                                   .y_label = test.targets[target]};
  for (std::size_t t = 0; t < w.context.size(); ++t)
    picture.past_x.push_back(static_cast<double>(t) - static_cast<double>(w.context.size()) + 1);
  picture.past.assign(w.context.begin(), w.context.end());
  for (std::size_t h = 0; h < horizon; ++h) picture.x.push_back(static_cast<double>(h + 1));
  picture.truth.assign(w.horizon.begin(), w.horizon.end());
  const auto drawn = (*models[0].drawn)[target].of(number);
  picture.forecast = quantile(drawn, horizon, 0.5);
  for (const double level : {.5, .8})
    picture.intervals.push_back({.level = level,
                                 .lower = quantile(drawn, horizon, (1 - level) / 2),
                                 .upper = quantile(drawn, horizon, (1 + level) / 2)});
  auto panel = report::forecast_panel(picture);
  panel.curves.back().name = models[0].name;
  for (std::size_t i = 1; i < models.size(); ++i)
    panel.curves.push_back({.name = models[i].name,
                            .x = picture.x,
                            .y = quantile((*models[i].drawn)[target].of(number), horizon, 0.5),
                            .ink = i == 1 ? report::colour::vermilion : report::colour::green,
                            .look = report::stroke::dashed});
  return panel;
}

}  // namespace

std::vector<paths> draw(network& model, const test_set& test, std::size_t horizon, const scoring_options& how,
                        const std::string& label) {
  std::vector<paths> out;
  for (std::size_t i = 0; i < test.targets.size(); ++i) {
    std::vector<values> pasts;
    for (const auto& w : test.windows[i]) pasts.push_back(w.context);
    out.push_back(model.forecast(pasts, {.horizon = horizon,
                                         .samples = how.samples,
                                         .seed = how.seed,
                                         .progress = label + ", " + test.targets[i]}));
  }
  return out;
}

std::vector<outcome> score(const std::string& name, const test_set& test, const std::vector<paths>& drawn,
                           const scoring_options& how) {
  std::vector<outcome> out;
  for (std::size_t i = 0; i < test.targets.size(); ++i) {
    const auto& of_target = drawn[i];
    metrics::forecast_evaluation found(of_target.horizon);
    for (std::size_t w = 0; w < test.windows[i].size(); ++w) {
      const auto& window = test.windows[i][w];
      const auto samples = of_target.of(w);
      const auto point = point_of(samples, of_target.horizon, how.point);
      found.add(window.horizon, point, metrics::mase_scale(window.context));
      if (of_target.samples > 1) found.add_samples(window.horizon, samples);
    }
    out.push_back({.model = name, .target = test.targets[i], .scores = found.scores()});
  }
  return out;
}

std::string table_of(const std::vector<outcome>& outcomes) {
  std::vector<std::string> targets;
  for (const auto& o : outcomes)
    if (std::find(targets.begin(), targets.end(), o.target) == targets.end()) targets.push_back(o.target);
  std::string text;
  for (const auto& target : targets) {
    report::table table({target, "trained", "seconds", "mse", "mae", "mape %", "dtw", "crps", "in 80 %"});
    for (const auto& o : outcomes) {
      if (o.target != target) continue;
      const auto& s = o.scores;
      const bool spread = s.contains("crps");
      table.add({o.model, o.trained ? grouped(static_cast<std::uint64_t>(*o.trained)) : "-",
                 o.seconds ? fixed(*o.seconds, 1) : "-", fixed(s["mse"], 2), fixed(s["mae"], 3),
                 fixed(100 * s["mape"], 2), fixed(s["dtw"], 3), spread ? fixed(s["crps"], 3) : "-",
                 spread ? fixed(100 * s["coverage 0.8"], 1) : "-"});
    }
    text += "\n" + table.text();
  }
  return text;
}

report::json to_json(const std::vector<outcome>& outcomes) {
  auto out = report::json::array();
  for (const auto& o : outcomes) {
    report::json one{{"target", o.target}, {"model", o.model}};
    if (o.trained) one["trained"] = *o.trained;
    for (const auto& [name, value] : o.scores) one["scores"][name] = value;
    out.push_back(std::move(one));
  }
  return out;
}

report::json about(const task& of, const test_set& test, const scoring_options& how) {
  char checksum[20];
  std::snprintf(checksum, sizeof checksum, "%016llx", static_cast<unsigned long long>(of.checksum));
  report::json out;
  out["program"] = {{"name", "chronos"}, {"fmsb", version}};
  out["data"] = {{"file", of.file},
                 {"hash", checksum},
                 {"split", of.splits.name},
                 {"ids",
                  {{"train", of.splits.train.size()},
                   {"validation", of.splits.validation.size()},
                   {"test", of.splits.test.size()}}}};
  out["windows"] = {{"context", of.rule.context},
                    {"horizon", of.rule.horizon},
                    {"stride", of.rule.stride},
                    {"observed", of.rule.observed}};
  for (std::size_t i = 0; i < test.targets.size(); ++i)
    out["windows"]["targets"].push_back({{"name", test.targets[i]},
                                         {"train", of.targets[i].train.size()},
                                         {"validation", of.targets[i].validation.size()},
                                         {"test", of.targets[i].test.size()},
                                         {"scored", test.windows[i].size()}});
  out["scoring"] = {{"samples", how.samples}, {"point", how.point}, {"seed", how.seed}};
  return out;
}

void plot(const fs::path& file, const test_set& test, const std::vector<named_paths>& models) {
  report::figure figure;
  for (std::size_t i = 0; i < test.targets.size(); ++i) figure.panels.push_back(picture_of(test, i, models));
  report::draw(figure, file);
}

void require_writable(const fs::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!file.empty() && !fs::is_directory(folder))
    throw usage_error(file.string() + " cannot be written: there is no folder " + folder.string() + ".");
}

void require_picture(const fs::path& file) {
  require_writable(file);
  const auto extension = file.extension();
  if (!file.empty() && extension != ".svg" && extension != ".png" && extension != ".pdf")
    throw usage_error("--plot: " + file.string() +
                      " should end in .svg, .png or .pdf, which names the format.");
}

}  // namespace driver
