#include "scores.hpp"

#include "fmsb/evaluate/confusion.hpp"  // confusion
#include "fmsb/evaluate/log_loss.hpp"   // log_loss
#include "fmsb/evaluate/ranking.hpp"    // auroc, mean_auroc
#include "fmsb/evaluate/scores.hpp"     // spread_of
#include "fmsb/report/table.hpp"        // table, fixed

#include <algorithm>  // std::max_element
#include <cmath>      // std::nan
#include <numeric>    // std::iota

namespace driver {

namespace {

using namespace fmsb;

report::json scores_on(const dataset& of, const std::vector<std::size_t>& rows,
                       std::span<const int> predicted, const std::vector<float>& probabilities) {
  const auto& all = of.test.members();
  const auto classes = all.classes_count();
  metrics::confusion counts(classes);
  std::vector<int> truth;
  std::vector<float> some;
  for (const auto row : rows) {
    counts.add(all.label(row), predicted[row]);
    truth.push_back(all.label(row));
    if (!probabilities.empty())
      some.insert(some.end(), probabilities.begin() + static_cast<std::ptrdiff_t>(row * classes),
                  probabilities.begin() + static_cast<std::ptrdiff_t>((row + 1) * classes));
  }
  report::json out{{"examples", rows.size()},
                   {"accuracy", counts.accuracy()},
                   {"balanced_accuracy", counts.balanced_accuracy()},
                   {"mcc", counts.matthews()},
                   {"macro_f1", counts.macro_f1()}};
  if (!some.empty()) {
    out["auroc"] = metrics::mean_auroc(some, metrics::one_vs_rest(truth, classes), classes);
    out["log_loss"] = metrics::log_loss(some, truth, classes);
  }
  out["confusion"] = report::json::array();
  for (std::size_t t = 0; t < classes; ++t) {
    std::vector<std::uint64_t> row;
    for (std::size_t p = 0; p < classes; ++p) row.push_back(counts.count(t, p));
    out["confusion"].push_back(row);
  }
  return out;
}

metrics::spread over_runs(const report::json& runs, const char* part, const char* figure) {
  std::vector<double> values;
  for (const auto& run : runs) {
    const auto& value = part == nullptr ? run.at(figure) : run.at("scores").at(part).at(figure);
    values.push_back(value.is_number() ? value.get<double>() : std::nan(""));
  }
  return metrics::spread_of(values);
}

}  // namespace

report::json scores_of(const dataset& of, std::span<const int> predicted,
                       const std::vector<float>& probabilities) {
  std::vector<std::size_t> whole(of.test.size());
  std::iota(whole.begin(), whole.end(), std::size_t{0});
  report::json out{{"all", scores_on(of, whole, predicted, probabilities)}};
  if (of.copies() > 0 && !of.clean.empty())
    out["without_copies"] = scores_on(of, of.clean, predicted, probabilities);
  return out;
}

std::vector<int> predicted_of(const std::vector<float>& probabilities, std::size_t classes) {
  std::vector<int> out;
  for (auto row = probabilities.begin(); row != probabilities.end();
       row += static_cast<std::ptrdiff_t>(classes))
    out.push_back(static_cast<int>(std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row));
  return out;
}

report::json& outcome_called(report::json& report, const std::string& name) {
  auto& all = report["outcomes"];
  if (!all.is_array()) all = report::json::array();
  for (auto& one : all)
    if (one.at("name") == name) return one;
  all.push_back({{"name", name}});
  return all.back();
}

bool holds_run(const report::json& outcome, const report::json& options, std::uint64_t seed) {
  if (!outcome.contains("runs") || outcome.at("options") != options) return false;
  const auto& runs = outcome.at("runs");
  return std::any_of(runs.begin(), runs.end(), [&](const auto& run) { return run.at("seed") == seed; });
}

std::string table_of(const report::json& report) {
  if (!report.contains("outcomes")) return {};
  const auto& all = report.at("outcomes");
  const bool two = report.at("data").at("classes").size() == 2;
  const char* const second = two ? "mcc" : "macro_f1";
  bool copies = false, seeds = false;
  for (const auto& one : all) {
    copies = copies || one.at("runs").at(0).at("scores").contains("without_copies");
    seeds = seeds || one.at("runs").size() > 1;
  }
  std::vector<std::string> headings{"test", "accuracy"};
  if (seeds) headings.emplace_back("sd");
  headings.emplace_back(two ? "MCC" : "macro F1");
  if (seeds) headings.emplace_back("sd");
  if (copies) headings.insert(headings.end(), {"no copies: accuracy", two ? "MCC" : "macro F1"});
  if (seeds) headings.emplace_back("seeds");
  headings.insert(headings.end(), {"parameters", "seconds"});
  report::table table(headings);
  for (const char* name : {"found", "plain", "random convolution", "logistic regression", "4-mers, logistic",
                           "nearest neighbour"})
    for (const auto& one : all) {
      if (one.at("name") != name) continue;
      const auto& runs = one.at("runs");
      std::vector<std::string> row{name};
      for (const char* figure : {"accuracy", second}) {
        const auto value = over_runs(runs, "all", figure);
        row.push_back(report::fixed(value.mean, 4));
        if (seeds) row.push_back(report::fixed(value.deviation, 4));
      }
      if (copies)
        for (const char* figure : {"accuracy", second})
          row.push_back(report::fixed(over_runs(runs, "without_copies", figure).mean, 4));
      if (seeds) row.push_back(std::to_string(runs.size()));
      const auto parameters = one.at("parameters").get<std::uint64_t>();
      row.push_back(parameters == 0 ? "-" : report::grouped(parameters));
      row.push_back(report::fixed(over_runs(runs, nullptr, "seconds").mean, 1));
      table.add(row);
    }
  return table.text();
}

}  // namespace driver
