#include "fmsb/core/error.hpp"       // usage_error
#include "fmsb/report/progress.hpp"  // print_duration

#include "floors.hpp"           // add_floors
#include "options.hpp"          // train_command
#include "program/stopped.hpp"  // throw_if_stopped
#include "run_folder.hpp"       // open_run
#include "scores.hpp"           // scores_of, table_of

#include <system_error>  // std::error_code

namespace driver {

namespace {

using namespace fmsb;

void train_once(run_folder& run, const dataset& of, const family& network,
                const std::vector<std::size_t>& points, training_wishes wishes, const report::json& options) {
  const std::string name = points.empty() ? "plain" : "found";
  auto& outcome = outcome_called(run.report, name);
  if (holds_run(outcome, options, wishes.seed)) return;  // the same command again, or more seeds of it
  const auto stem = run.folder / (name + "-seed" + std::to_string(wishes.seed));
  wishes.checkpoint_every = batches_an_epoch(wishes.batch, of.train.size());
  wishes.checkpoint = stem.string() + ".checkpoint";
  wishes.log = stem.string() + ".jsonl";
  wishes.weights = stem.string() + ".safetensors";
  wishes.about = name + " " + report::json(points).dump() + " " + of.checksum + " " + options.dump();
  wishes.progress = name;
  const auto out = network.train(points, of.train, of.validation, of.test.members(), wishes);
  throw_if_stopped(out.training);
  const auto predicted = predicted_of(out.probabilities, of.train.members().classes_count());
  if (!outcome.contains("options") || outcome.at("options") != options)
    outcome["runs"] = report::json::array();
  outcome["parameters"] = out.parameters;
  outcome["options"] = options;
  outcome["runs"].push_back({{"seed", wishes.seed},
                             {"seconds", out.training.seconds},
                             {"scores", scores_of(of, predicted, out.probabilities)},
                             {"training", train::to_json(out.training)}});
  run.write_report();
  std::error_code ignored;
  fs::remove(wishes.checkpoint, ignored);  // only now: what it was for stands in the report
}

}  // namespace

std::string train(const train_command& wanted) {
  if (wanted.seeds == 0) throw usage_error("--seeds 0: give 1 or more.");
  auto run = open_run(wanted.run);
  const auto points = wanted.plain ? std::vector<std::size_t>() : found_points(run);
  const auto of = data_of(run);
  require_augmentation(wanted.wishes.augment, of.train.members().shape());
  const auto& network = choose(run.search.data.task, run.search.network).get();
  const auto options = report::json::parse(report::to_text(to_json(wanted.wishes)));
  run.report["data"] = of.to_json();
  auto wishes = wanted.wishes;
  for (std::uint64_t s = 0; s < wanted.seeds; ++s) {
    wishes.seed = run.search.wishes.seed + s;
    train_once(run, of, network, points, wishes, options);
  }
  if (wanted.floors) {
    add_floors(run.report, of, network);
    run.write_report();
  }
  const std::string name = wanted.plain ? "plain" : "found";
  const auto& last = outcome_called(run.report, name).at("runs").back();
  std::string text = of.text() + "\n" + table_of(run.report) + "\n" + name + ": " +
                     std::to_string(wanted.wishes.epochs) + " epochs in " +
                     report::print_duration(last.at("seconds").get<double>());
  if (const auto& training = last.at("training"); training.contains("best")) {
    const auto steps = training.at("steps").get<std::uint64_t>();
    text +=
        ", best on validation after " +
        std::to_string(training.at("best").at("step").get<std::uint64_t>() * wanted.wishes.epochs / steps);
  }
  return text + "\nwritten to " + run.folder.string() + ": report.json, " + name + "-seed" +
         std::to_string(run.search.wishes.seed) + ".safetensors\n";
}

}  // namespace driver
