#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/report/json.hpp"      // write_json
#include "fmsb/report/progress.hpp"  // print_duration
#include "fmsb/report/table.hpp"     // grouped

#include "baselines.hpp"        // last_value
#include "menu.hpp"             // choose
#include "options.hpp"          // finetune_options
#include "program/stopped.hpp"  // throw_if_stopped
#include "scoring.hpp"          // score, table_of

#include <algorithm>  // std::max

namespace driver {

namespace {

using namespace fmsb;
using report::grouped;

std::string name_of(const menu_item& item) {
  std::string name = item.adapter;
  if (item.number > 0) name += " " + std::to_string(item.number);
  return item.on == "all" ? name : name + " on " + item.on;
}

train::history trained(network& model, const task& of, const finetune_options& wanted,
                       const menu_item& item) {
  const std::uint64_t every =
      wanted.validate_every > 0 ? wanted.validate_every : std::max<std::uint64_t>(1, wanted.steps / 20);
  return model.fit(of.examples(),
                   {.steps = wanted.steps,
                    .batch = wanted.batch,
                    .validate_every = every,
                    .rate = wanted.rate > 0 ? wanted.rate : item.rate,
                    .blanked = wanted.blanked,
                    .clip_norm = 1,
                    .seed = wanted.seed,
                    .held_out = of.held_out(wanted.held_out),
                    .checkpoint = wanted.out / "training.checkpoint",
                    .log = wanted.out / "training.jsonl",
                    .about = std::to_string(of.checksum) + " " + of.splits.name + " " + name_of(item),
                    .progress = name_of(item)});
}

report::json to_json(const finetune_options& wanted, const menu_item& item, const train::history& past,
                     std::int64_t all) {
  report::json out{{"adapter", item.adapter}};
  if (item.number > 0) out[item.adapter.starts_with("fourier_ft") ? "frequencies" : "rank"] = item.number;
  out["on"] = item.on;
  out["trained_parameters"] = item.trained;
  out["parameters"] = all;
  out["rate"] = wanted.rate > 0 ? wanted.rate : item.rate;
  out["batch"] = wanted.batch;
  out["seed"] = wanted.seed;
  auto training = train::to_json(past);
  training.erase("seconds");  // stands with the others at the end: all else of a report is the same again
  out["training"] = training;
  return out;
}

void save(const network& model, const finetune_options& wanted, const menu_item& item) {
  if (item.adapter == "full")
    model.save(wanted.out / "model");
  else
    model.save_adapter(wanted.out / "adapter", wanted.model.string());
}

}  // namespace

std::string finetune(const finetune_options& wanted) {
  const auto& item = choose(size_of(wanted.model).name, wanted.adapter);
  const task of = read_task(wanted.task);
  const test_set test(of, wanted.task.most_windows);
  fs::create_directories(wanted.out);

  const auto model = item.open(wanted.model, wanted.seed);
  const auto past = trained(*model, of, wanted, item);
  throw_if_stopped(past);
  save(*model, wanted, item);

  std::vector<outcome> outcomes = last_values(of, test, wanted.scoring);
  std::vector<named_paths> shown;
  std::vector<paths> before;
  if (wanted.before) {
    before = draw(*open_model(wanted.model), test, of.rule.horizon, wanted.scoring, "zero-shot");
    for (auto& o : score("zero-shot", test, before, wanted.scoring)) o.trained = 0, outcomes.push_back(o);
  }
  const auto adapted = draw(*model, test, of.rule.horizon, wanted.scoring, name_of(item));
  for (auto& o : score(name_of(item), test, adapted, wanted.scoring)) {
    o.trained = item.trained;
    o.seconds = past.seconds;
    outcomes.push_back(o);
  }
  shown.push_back({name_of(item), &adapted});
  if (wanted.before) shown.push_back({"zero-shot", &before});
  plot(wanted.out / "forecasts.svg", test, shown);

  auto report = about(of, test, wanted.scoring);
  report["program"]["command"] = "finetune";
  report["model"] = {{"folder", wanted.model.filename().string()}, {"size", item.size}};
  report["finetuning"] = to_json(wanted, item, past, model->counts().second);
  report["outcomes"] = to_json(outcomes);
  report["seconds"] = {{"training", past.seconds}};
  report::write_json(wanted.out / "report.json", report);

  std::string text = of.text() + table_of(outcomes) + "\n" + name_of(item) + ": " +
                     grouped(static_cast<std::uint64_t>(item.trained)) + " of " +
                     grouped(static_cast<std::uint64_t>(model->counts().second)) + " parameters trained, " +
                     grouped(past.steps) + " steps in " + report::print_duration(past.seconds);
  if (past.best) text += ", best on validation after " + grouped(past.best->step);
  return text + "\nwritten: " + (wanted.out / (item.adapter == "full" ? "model" : "adapter")).string() +
         ", report.json, forecasts.svg\n";
}

}  // namespace driver
