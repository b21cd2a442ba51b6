#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/core/version.hpp"      // version
#include "fmsb/data/csv.hpp"          // read_csv
#include "fmsb/report/json.hpp"       // write_json
#include "fmsb/report/progress.hpp"   // print_duration
#include "fmsb/report/table.hpp"      // fixed, grouped

#include "generated.hpp"        // training_series
#include "menu.hpp"             // whole_model
#include "options.hpp"          // pretrain_options
#include "program/stopped.hpp"  // throw_if_stopped

#include <algorithm>  // std::max
#include <chrono>     // std::chrono::steady_clock

namespace driver {

namespace {

using namespace fmsb;

/// Every channel of the files as a series of its own.
std::vector<data::series> read_all(const std::vector<fs::path>& files) {
  std::vector<data::series> out;
  for (const auto& file : files) {
    const auto whole = data::read_csv(file);
    for (std::size_t c = 0; c < whole.channels(); ++c) out.push_back(whole.select(std::array{c}));
  }
  return out;
}

std::string settings_of(const pretrain_options& wanted) {
  std::string text = wanted.size + " " + std::to_string(wanted.context) + "+" +
                     std::to_string(wanted.horizon) + " on " + std::to_string(wanted.generated) + "+" +
                     std::to_string(wanted.mixtures) + "x" + std::to_string(wanted.length) + ", " +
                     number_text(wanted.levels) + " on levels";
  for (const auto& file : wanted.series) text += " " + file.filename().string();
  return text;
}

report::json to_json(const pretrain_options& wanted, const train::history& past) {
  report::json out;
  out["program"] = {{"name", "chronos"}, {"fmsb", version}, {"command", "pretrain"}};
  out["settings"] = {
      {"size", wanted.size},           {"context", wanted.context},   {"horizon", wanted.horizon},
      {"generated", wanted.generated}, {"mixtures", wanted.mixtures}, {"length", wanted.length},
      {"steps", wanted.steps},         {"batch", wanted.batch},       {"rate", wanted.rate},
      {"blanked", wanted.blanked},     {"levels", wanted.levels},     {"seed", wanted.seed}};
  for (const auto& file : wanted.series) out["settings"]["series"].push_back(file.filename().string());
  out["training"] = train::to_json(past);
  return out;
}

double mean_of_last(const std::vector<double>& losses, std::size_t count) {
  const std::size_t some = std::min(count, losses.size());
  double sum = 0;
  for (std::size_t i = losses.size() - some; i < losses.size(); ++i) sum += losses[i];
  return sum / static_cast<double>(some);
}

}  // namespace

std::string pretrain(pretrain_options wanted) {
  const auto& size = size_called(wanted.size);
  if (wanted.rate == 0) wanted.rate = size.rate;
  if (wanted.length < wanted.context / 4 + wanted.horizon + 1)
    throw usage_error("--length: series of " + std::to_string(wanted.length) + " rows hold no window of " +
                      std::to_string(wanted.context) + " + " + std::to_string(wanted.horizon) + " rows.");
  const auto context = static_cast<index_t>(wanted.context), horizon = static_cast<index_t>(wanted.horizon);
  const auto began = std::chrono::steady_clock::now();
  const auto all = training_series(read_all(wanted.series), {.kernels = wanted.generated,
                                                             .mixtures = wanted.mixtures,
                                                             .length = wanted.length,
                                                             .levels = wanted.levels,
                                                             .seed = wanted.seed});
  const double generating = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const chronos::windows examples(all, {.context = context,
                                        .horizon = horizon,
                                        .shortest_context = std::max<index_t>(1, context / 8),
                                        .draw = chronos::equally_likely::channels});
  const auto model = whole_model(size.name).make(tokens_of(size, context, horizon), wanted.seed);
  fs::create_directories(wanted.out);
  const auto past = model->fit(examples, {.steps = wanted.steps,
                                          .batch = wanted.batch,
                                          .validate_every = wanted.checkpoint_every,
                                          .rate = wanted.rate,
                                          .blanked = wanted.blanked,
                                          .clip_norm = 1,
                                          .seed = wanted.seed,
                                          .checkpoint = wanted.out / "training.checkpoint",
                                          .log = wanted.out / "training.jsonl",
                                          .about = settings_of(wanted),
                                          .progress = "pretraining " + wanted.size});
  throw_if_stopped(past);
  model->save(wanted.out);
  report::write_json(wanted.out / "report.json", to_json(wanted, past));
  return wanted.out.string() + ": chronos-t5 of the size " + wanted.size + ", " +
         report::grouped(static_cast<std::uint64_t>(model->counts().second)) + " parameters\n" +
         report::grouped(all.size()) + " series in " + report::print_duration(generating) + ", " +
         report::grouped(past.steps) + " steps in " + report::print_duration(past.seconds) + " (" +
         report::fixed(static_cast<double>(past.steps) / past.seconds, 1) + " a second), loss " +
         report::fixed(past.losses.front(), 3) + " -> " + report::fixed(mean_of_last(past.losses, 50), 3) +
         " over the last 50\n";
}

}  // namespace driver
