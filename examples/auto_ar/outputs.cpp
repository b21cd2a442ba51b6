#include "outputs.hpp"

#include "fmsb/core/version.hpp"            // version
#include "fmsb/data/timestamps.hpp"         // next_timestamps
#include "fmsb/data/write_csv.hpp"          // write_csv
#include "fmsb/report/atomic_file.hpp"      // write_atomically
#include "fmsb/report/forecast_panels.hpp"  // forecast_panel
#include "fmsb/report/json.hpp"             // write_json
#include "fmsb/report/plot.hpp"             // draw
#include "fmsb/report/table.hpp"            // table

#include <algorithm>  // std::find, std::min
#include <cmath>      // std::isfinite
#include <cstdio>     // std::snprintf
#include <limits>     // std::numeric_limits
#include <string>     // std::string
#include <vector>     // std::vector

namespace auto_ar {

namespace {

using namespace fmsb;
using report::fixed;
using report::grouped;
using report::json;

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

std::string plain(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::size_t drawn_channel(const options& wanted, const results& found) {
  if (wanted.channel.empty()) return found.series.channels() - 1;
  const auto& names = found.series.names();
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), wanted.channel) - names.begin());
}

std::string headline(const options& wanted, const results& found) {
  const auto& d = found.data;
  std::string out = wanted.csv.filename().string() + "  " + grouped(d.rows) + " rows x " +
                    std::to_string(d.channels) + (d.channels == 1 ? " channel" : " channels");
  if (!d.step.empty())
    out += ", " + d.step + ", " + d.first_time.substr(0, 10) + " .. " + d.last_time.substr(0, 10);
  out += d.remarks.empty() ? ", no gaps\n" : "\n";
  for (const auto& r : d.remarks) out += "  note: " + r + "\n";
  out += "split " + d.split + ": " + grouped(d.train) + " train, " + grouped(d.validation) + " validation, " +
         grouped(d.test) + " test rows; errors in standard deviations of train\n\n";
  return out;
}

std::string strengths_line(const std::string& what, const std::vector<std::string>& names,
                           const std::vector<double>& strengths) {
  std::string out = "  " + what + ":";
  for (std::size_t c = 0; c < strengths.size(); ++c)
    out += (c == 0 ? " " : ", ") + names[c] + " " + plain(strengths[c]);
  return out + "\n";
}

void add_horizon_tables(const results& found, std::string& out) {
  const auto& first = found.horizons.front();
  std::vector<std::string> headings{"horizon"};
  if (first.verdict) headings.insert(headings.end(), {"lags", "d"});
  headings.insert(headings.end(), {"mse", "mae", "rmse"});
  for (const auto& f : first.floors) headings.push_back(f.name);
  if (first.zero_shot) headings.push_back("zero-shot");
  report::table table(headings);
  for (const auto& h : found.horizons) {
    std::vector<std::string> row{std::to_string(h.horizon)};
    if (h.verdict) {
      row.push_back(std::to_string(h.verdict->chosen.order));
      row.push_back(std::to_string(h.verdict->chosen.differencing));
    }
    for (double v : {h.errors.mse, h.errors.mae, h.errors.rmse}) row.push_back(fixed(v, 4));
    for (const auto& f : h.floors) row.push_back(fixed(f.errors.mse, 4));
    if (h.zero_shot) row.push_back(fixed(h.zero_shot->mse, 4));
    table.add(row);
  }
  out += table.text();
  out += "(the columns after rmse are the mse of forecasts without a fitted model" +
         std::string(first.zero_shot ? ", and of fits on one window alone" : "") + ")\n";
}

json to_json(const metrics::forecast_errors& e) {
  return {{"mse", e.mse},
          {"mae", e.mae},
          {"rmse", e.rmse},
          {"errors", e.count},
          {"mse_by_step", e.step_mse},
          {"mae_by_step", e.step_mae}};
}

json brief(const metrics::forecast_errors& e) { return {{"mse", e.mse}, {"mae", e.mae}, {"rmse", e.rmse}}; }

json to_json(const ar::verdict& v, bool with_tables) {
  json out{{"criterion", v.criterion},
           {"p", v.chosen.order},
           {"d", v.chosen.differencing},
           {"score", v.chosen.score}};
  if (!v.remark.empty()) out["remark"] = v.remark;
  if (with_tables)
    for (const auto& t : v.tables)
      out["tables"].push_back({{"d", t.differencing}, {"p", t.orders}, {"score", t.scores}});
  return out;
}

json to_json(const options& wanted, const results& found) {
  const auto& d = found.data;
  char checksum[16];
  std::snprintf(checksum, sizeof checksum, "%08x", d.checksum);
  json out;
  out["program"] = {
      {"name", "auto_ar"}, {"fmsb", version}, {"instruction_set", found.isa}, {"threads", found.threads}};
  out["data"] = {{"file", wanted.csv.filename().string()},
                 {"crc32", checksum},
                 {"bytes", d.bytes},
                 {"rows", d.rows},
                 {"channels", found.series.names()},
                 {"step", d.step},
                 {"first", d.first_time},
                 {"last", d.last_time},
                 {"remarks", d.remarks},
                 {"season", d.season}};
  out["split"] = {{"name", d.split}, {"train", d.train}, {"validation", d.validation}, {"test", d.test}};
  out["settings"] = {{"preset", name_of(wanted.preset, preset_names)},
                     {"method", wanted.preset == preset::best && !wanted.method_given
                                    ? json(nullptr)
                                    : json(name_of(wanted.method, method_names))},
                     {"context", wanted.context},
                     {"first_order", wanted.first_order},
                     {"last_order", wanted.last_order > 0 ? wanted.last_order : wanted.context},
                     {"differencing", wanted.differencing},
                     {"season", found.data.season},
                     {"fill", wanted.fill},
                     {"mask_sentinels", wanted.mask_sentinels},
                     {"seed", nullptr},
                     {"note", "nothing is drawn at random"}};
  for (const auto& h : found.horizons) {
    json one{{"horizon", h.horizon}, {"method", h.method}};
    if (h.model) one["p"] = h.model->order, one["d"] = h.model->differencing;
    one["mse"] = h.errors.mse;
    one["mae"] = h.errors.mae;
    one["rmse"] = h.errors.rmse;
    one["test"] = to_json(h.errors);
    for (const auto& f : h.floors) one["floors"][f.name] = brief(f.errors);
    if (h.zero_shot) one["zero_shot"] = to_json(*h.zero_shot);
    if (h.verdict) one["choice"] = to_json(*h.verdict, true);
    for (const auto& a : h.alternatives) {
      auto row = to_json(a.verdict, false);
      row["test"] = brief(a.errors);
      one["alternatives"].push_back(std::move(row));
    }
    if (h.model) one["coefficients"] = h.model->coefficients, one["intercept"] = h.model->intercept;
    if (!h.autoregression_strengths.empty()) one["pooling"]["autoregression"] = h.autoregression_strengths;
    if (!h.direct_strengths.empty()) one["pooling"]["direct"] = h.direct_strengths;
    for (const auto& i : h.intervals)
      one["intervals"].push_back({{"level", i.level},
                                  {"coverage", i.on_test.coverage},
                                  {"mean_width", i.on_test.mean_width},
                                  {"interval_score", i.on_test.score},
                                  {"coverage_by_step", i.coverage_by_step}});
    one["seconds"] = {{"choose_and_fit", h.select_seconds}, {"test", h.test_seconds}};
    out["horizons"].push_back(std::move(one));
  }
  out["seconds"] = {{"read", d.read_seconds}, {"all", found.total_seconds}};
  return out;
}

void write_forecast(const options& wanted, const results& found) {
  // Of several horizons the longest: its path holds a forecast for every step of the others.
  const auto& h = *std::max_element(found.horizons.begin(), found.horizons.end(),
                                    [](const auto& a, const auto& b) { return a.horizon < b.horizon; });
  std::vector<std::string> names;
  std::vector<double> values;
  for (std::size_t c = 0; c < found.series.channels(); ++c) {
    names.push_back(found.series.names()[c]);
    values.insert(values.end(), h.future[c].begin(), h.future[c].end());
    for (const auto& i : h.intervals)
      for (const bool upper : {false, true}) {
        names.push_back(found.series.names()[c] + (upper ? " upper " : " lower ") + plain(i.level));
        const auto& offsets = upper ? i.upper[c] : i.lower[c];
        for (std::size_t k = 0; k < h.horizon; ++k) {
          // Too few validation windows for the level: the interval has no end, and a table shows a gap.
          const double end = h.future[c][k] + found.deviation[c] * offsets[k];
          values.push_back(std::isfinite(end) ? end : std::numeric_limits<double>::quiet_NaN());
        }
      }
  }
  std::vector<data::timestamp> times;
  if (!found.series.times().empty() && found.data.step != "uneven")
    times = data::next_timestamps(found.series.times(), h.horizon);
  const data::series table(names, times, values);
  report::write_atomically(wanted.forecast, [&](std::ostream& out) { data::write_csv(out, table); });
}

void write_plot(const options& wanted, const results& found) {
  const auto& h = *std::max_element(found.horizons.begin(), found.horizons.end(),
                                    [](const auto& a, const auto& b) { return a.horizon < b.horizon; });
  const std::size_t c = drawn_channel(wanted, found);
  const auto values = found.series.channel(c);
  const auto times = found.series.times();
  const bool timed = !times.empty();
  const std::size_t origin = found.test_last - h.horizon;
  const std::size_t past = std::min({origin, wanted.context, 2 * h.horizon});
  const auto x_at = [&](std::size_t row) {
    return timed ? static_cast<double>(times[row]) : static_cast<double>(row);
  };
  report::forecast_picture picture;
  picture.title = found.series.names()[c] + ": the last window of the test part";
  picture.x_is_time = timed;
  picture.x_label = timed ? "" : "row";
  for (std::size_t t = origin - past; t < origin; ++t)
    picture.past_x.push_back(x_at(t)), picture.past.push_back(values[t]);
  for (std::size_t k = 0; k < h.horizon; ++k) {
    picture.x.push_back(x_at(origin + k));
    picture.forecast.push_back(h.last_window[c][k]);
    picture.truth.push_back(values[origin + k]);
  }
  for (const auto& i : h.intervals) {
    report::forecast_interval band{.level = i.level, .lower = picture.forecast, .upper = picture.forecast};
    for (std::size_t k = 0; k < h.horizon; ++k) {
      band.lower[k] += found.deviation[c] * i.lower[c][k];
      band.upper[k] += found.deviation[c] * i.upper[c][k];
    }
    picture.intervals.push_back(std::move(band));
  }
  report::figure figure;
  figure.panels.push_back(report::forecast_panel(picture));

  std::vector<report::named_values> by_step{{"this forecast", h.errors.step_mse}};
  if (h.zero_shot) by_step.push_back({"zero-shot", h.zero_shot->step_mse});
  for (const auto& f : h.floors) by_step.push_back({f.name, f.errors.step_mse});
  figure.panels.push_back(report::horizon_panel("Mean squared error over all test windows and channels",
                                                "mse (standardised)", by_step));
  if (h.verdict) {
    std::vector<report::criterion_curve> lines;
    for (const auto& t : h.verdict->tables)
      lines.push_back(
          {"d = " + std::to_string(t.differencing), {t.orders.begin(), t.orders.end()}, t.scores});
    figure.panels.push_back(report::criterion_panel(
        "Choice of the order: " + h.verdict->criterion + ", horizon " + std::to_string(h.horizon), "score",
        lines));
  }
  report::draw(figure, wanted.plot);
}

}  // namespace

std::string to_text(const options& wanted, const results& found) {
  std::string out = headline(wanted, found);
  add_horizon_tables(found, out);
  for (const auto& h : found.horizons) {
    if (h.alternatives.empty()) continue;
    out += "\nwhat each criterion would have chosen, horizon " + std::to_string(h.horizon) + ":\n";
    report::table table({"criterion", "lags", "d", "test mse", "test mae"});
    for (const auto& a : h.alternatives)
      table.add({a.verdict.criterion, std::to_string(a.verdict.chosen.order),
                 std::to_string(a.verdict.chosen.differencing), fixed(a.errors.mse, 4),
                 fixed(a.errors.mae, 4)});
    out += table.text();
  }
  bool any = false;
  for (const auto& h : found.horizons) any = any || !h.intervals.empty();
  if (any) {
    out += wanted.normal_intervals ? "\nprediction intervals by normal theory:\n"
                                   : "\nprediction intervals, calibrated on validation:\n";
    report::table table({"horizon", "level", "coverage on test", "mean width"});
    for (const auto& h : found.horizons)
      for (const auto& i : h.intervals)
        table.add({std::to_string(h.horizon), percent(i.level), percent(i.on_test.coverage),
                   fixed(i.on_test.mean_width, 3)});
    out += table.text();
  }
  out += "\n" + found.horizons.front().method;
  if (const auto& v = found.horizons.front().verdict) {
    std::size_t candidates = 0;
    for (const auto& t : v->tables) candidates += t.orders.size();
    out += "; chosen by " + v->criterion + " among " + std::to_string(candidates) + " candidates";
    if (!v->remark.empty()) out += " (" + v->remark + ")";
  }
  out += "\n";
  for (const auto& h : found.horizons) {
    if (h.autoregression_strengths.empty() && h.direct_strengths.empty()) continue;
    out += "pull towards the common model (0 none, inf all), horizon " + std::to_string(h.horizon) + "\n";
    if (!h.autoregression_strengths.empty())
      out += strengths_line("autoregression", found.series.names(), h.autoregression_strengths);
    if (!h.direct_strengths.empty())
      out += strengths_line("direct", found.series.names(), h.direct_strengths);
  }
  out += fixed(found.total_seconds, 2) + " s on " + std::to_string(found.threads) +
         (found.threads == 1 ? " thread" : " threads");
  std::string files;
  for (const auto* f : {&wanted.report, &wanted.forecast, &wanted.plot})
    if (!f->empty()) files += (files.empty() ? "; written: " : ", ") + f->string();
  return out + files + "\n";
}

void write_files(const options& wanted, const results& found) {
  if (!wanted.forecast.empty()) write_forecast(wanted, found);
  if (!wanted.report.empty()) report::write_json(wanted.report, to_json(wanted, found));
  if (!wanted.plot.empty()) write_plot(wanted, found);
}

}  // namespace auto_ar
