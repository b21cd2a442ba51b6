#include "fmsb/report/json.hpp"  // write_json

#include "baselines.hpp"  // last_values
#include "menu.hpp"       // open_adapted
#include "options.hpp"    // evaluate_options
#include "scoring.hpp"    // score, table_of

namespace driver {

std::string evaluate(const evaluate_options& wanted) {
  require_writable(wanted.report);
  require_picture(wanted.plot);
  const task of = read_task(wanted.task);
  const test_set test(of, wanted.task.most_windows);

  std::vector<outcome> outcomes;
  if (wanted.baselines) {
    outcomes = last_values(of, test, wanted.scoring);
    for (auto& o : pooled_autoregressions(of, test, wanted.scoring)) outcomes.push_back(o);
  }
  std::vector<std::string> names;
  std::vector<std::vector<paths>> drawn;
  const auto add = [&](network& model, const std::string& name, std::int64_t trained) {
    names.push_back(name);
    drawn.push_back(draw(model, test, of.rule.horizon, wanted.scoring, name));
    for (auto& o : score(name, test, drawn.back(), wanted.scoring))
      o.trained = trained, outcomes.push_back(o);
  };
  add(*open_model(wanted.model), wanted.adapters.empty() ? wanted.model.filename().string() : "zero-shot", 0);
  for (const auto& adapter : wanted.adapters)
    add(*open_adapted(wanted.model, adapter), adapter.filename().string(),
        item_of(wanted.model, adapter).trained);

  if (!wanted.plot.empty()) {
    std::vector<named_paths> shown;
    for (std::size_t i = names.size(); i-- > 0;) shown.push_back({names[i], &drawn[i]});
    plot(wanted.plot, test, shown);
  }
  if (!wanted.report.empty()) {
    auto report = about(of, test, wanted.scoring);
    report["program"]["command"] = "evaluate";
    report["model"] = {{"folder", wanted.model.filename().string()}, {"size", size_of(wanted.model).name}};
    report["outcomes"] = to_json(outcomes);
    fmsb::report::write_json(wanted.report, report);
  }
  return of.text() + table_of(outcomes);
}

}  // namespace driver
