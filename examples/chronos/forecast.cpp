#include "fmsb/core/error.hpp"              // usage_error
#include "fmsb/core/number_text.hpp"        // number_text
#include "fmsb/data/csv.hpp"                // read_csv
#include "fmsb/data/read_panel.hpp"         // read_panel
#include "fmsb/data/write_csv.hpp"          // csv_cell
#include "fmsb/evaluate/forecasting.hpp"    // quantiles_of
#include "fmsb/report/atomic_file.hpp"      // write_atomically
#include "fmsb/report/forecast_panels.hpp"  // forecast_panel
#include "fmsb/report/json.hpp"             // write_json
#include "fmsb/report/plot.hpp"             // draw
#include "fmsb/report/table.hpp"            // table

#include "menu.hpp"     // open_adapted
#include "options.hpp"  // forecast_options
#include "scoring.hpp"  // require_writable

#include <algorithm>  // std::min
#include <numeric>    // std::accumulate
#include <ostream>    // std::ostream

namespace driver {

namespace {

using namespace fmsb;

/// The forecast of one channel of one series.
struct outlook {
  std::string id, channel;
  values past{};
  std::vector<double> mean{};                    ///< [horizon]
  std::vector<std::vector<double>> quantiles{};  ///< [levels][horizon]
};

data::panel read_series(const forecast_options& wanted) {
  if (wanted.id.empty()) {
    const auto whole = data::read_csv(
        wanted.series, {.columns = wanted.targets, .missing = wanted.missing, .time_column = wanted.time});
    return {{""}, {whole}};
  }
  const auto names = header_of(wanted.series);
  if (wanted.time.empty() && names.size() < 2)
    throw data_error(wanted.series.string() +
                     " has one column; a table of many series has ids, times and numbers.");
  return data::read_panel(wanted.series,
                          {.id = wanted.id,
                           .time = wanted.time.empty() ? names[names[0] == wanted.id ? 1 : 0] : wanted.time,
                           .columns = wanted.targets,
                           .missing = wanted.missing});
}

/// Channels without a single number have no forecast.
std::vector<outlook> channels_of(const data::panel& all) {
  std::vector<outlook> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t c = 0; c < all[i].channels(); ++c)
      if (std::any_of(all[i].channel(c).begin(), all[i].channel(c).end(), [](double x) { return x == x; }))
        out.push_back({.id = all.id(i), .channel = all[i].names()[c], .past = all[i].channel(c)});
  return out;
}

void sum_up(outlook& one, std::span<const float> drawn, std::size_t horizon,
            const std::vector<double>& levels) {
  one.quantiles.resize(levels.size());
  for (std::size_t h = 0; h < horizon; ++h) {
    std::vector<double> step;
    for (std::size_t i = h; i < drawn.size(); i += horizon) step.push_back(double{drawn[i]});
    one.mean.push_back(std::accumulate(step.begin(), step.end(), 0.0) / static_cast<double>(step.size()));
    const auto found = metrics::quantiles_of(step, levels);
    for (std::size_t l = 0; l < levels.size(); ++l) one.quantiles[l].push_back(found[l]);
  }
}

void write_table(const forecast_options& wanted, const std::vector<outlook>& all) {
  report::write_atomically(wanted.out, [&](std::ostream& out) {
    const bool many = !wanted.id.empty();
    if (many) out << data::csv_cell(wanted.id) << ',';
    out << "channel,step,mean";
    for (const double level : wanted.levels) out << ",q" << number_text(level);
    out << '\n';
    for (const auto& one : all)
      for (std::size_t h = 0; h < one.mean.size(); ++h) {
        if (many) out << one.id << ',';
        out << data::csv_cell(one.channel) << ',' << h + 1 << ',' << number_text(one.mean[h]);
        for (const auto& quantile : one.quantiles) out << ',' << number_text(quantile[h]);
        out << '\n';
      }
  });
}

void write_report(const forecast_options& wanted, const std::vector<outlook>& all) {
  report::json out;
  out["settings"] = {{"model", wanted.model.filename().string()},
                     {"samples", wanted.scoring.samples},
                     {"seed", wanted.scoring.seed},
                     {"levels", wanted.levels}};
  for (const auto& one : all) {
    report::json entry;
    if (!wanted.id.empty()) entry["id"] = one.id;
    entry["channel"] = one.channel;
    entry["mean"] = one.mean;
    entry["quantiles"] = one.quantiles;
    out["forecasts"].push_back(std::move(entry));
  }
  report::write_json(wanted.out, out);
}

report::panel picture_of(const outlook& one, const std::vector<double>& levels) {
  report::forecast_picture picture{.title = (one.id.empty() ? "" : one.id + ", ") + one.channel,
                                   .x_label = "rows from the last"};
  const auto past = one.past.last(std::min(one.past.size(), 4 * one.mean.size() + 32));
  for (std::size_t t = 0; t < past.size(); ++t)
    picture.past_x.push_back(static_cast<double>(t) - static_cast<double>(past.size()) + 1);
  picture.past.assign(past.begin(), past.end());
  for (std::size_t h = 0; h < one.mean.size(); ++h) picture.x.push_back(static_cast<double>(h + 1));
  picture.forecast = one.quantiles[levels.size() / 2];
  for (std::size_t l = 0; l < levels.size() / 2; ++l)
    picture.intervals.push_back({.level = levels[levels.size() - 1 - l] - levels[l],
                                 .lower = one.quantiles[l],
                                 .upper = one.quantiles[levels.size() - 1 - l]});
  return report::forecast_panel(picture);
}

void plot(const forecast_options& wanted, const std::vector<outlook>& all) {
  report::figure figure;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, all.size()); ++i)
    figure.panels.push_back(picture_of(all[i], wanted.levels));
  report::draw(figure, wanted.plot);
}

std::string table_of(const forecast_options& wanted, const std::vector<outlook>& all) {
  constexpr std::size_t kRows = 24;
  std::vector<std::string> headings{"id", "channel", "step", "mean"};
  for (const double level : wanted.levels) headings.push_back("q" + number_text(level));
  report::table table(headings);
  for (const auto& one : all)
    for (std::size_t h = 0; h < one.mean.size() && table.rows() < kRows; ++h) {
      std::vector<std::string> row{one.id, one.channel, std::to_string(h + 1), report::fixed(one.mean[h], 3)};
      for (const auto& quantile : one.quantiles) row.push_back(report::fixed(quantile[h], 3));
      table.add(row);
    }
  const std::size_t rows = all.size() * all[0].mean.size();
  if (rows <= kRows) return table.text();
  return table.text() + "... of " + report::grouped(rows) + " rows; " +
         (wanted.out.empty() ? "--out writes all" : "all in " + wanted.out.string()) + "\n";
}

}  // namespace

std::string forecast(const forecast_options& wanted) {
  require_writable(wanted.out);
  require_picture(wanted.plot);
  const auto model =
      wanted.adapter.empty() ? open_model(wanted.model) : open_adapted(wanted.model, wanted.adapter);
  const auto series = read_series(wanted);
  auto all = channels_of(series);
  if (all.empty()) throw data_error(wanted.series.string() + " holds no number to forecast from.");
  std::vector<values> pasts;
  for (const auto& one : all) pasts.push_back(one.past);
  const auto drawn = model->forecast(pasts, {.horizon = wanted.horizon,
                                             .samples = wanted.scoring.samples,
                                             .seed = wanted.scoring.seed,
                                             .progress = "forecasts"});
  for (std::size_t i = 0; i < all.size(); ++i) sum_up(all[i], drawn.of(i), drawn.horizon, wanted.levels);
  if (!wanted.out.empty())
    wanted.out.extension() == ".json" ? write_report(wanted, all) : write_table(wanted, all);
  if (!wanted.plot.empty()) plot(wanted, all);
  return table_of(wanted, all);
}

}  // namespace driver
