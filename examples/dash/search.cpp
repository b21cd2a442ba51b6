#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/core/version.hpp"         // version
#include "fmsb/report/plot.hpp"          // draw
#include "fmsb/report/progress.hpp"      // print_duration
#include "fmsb/report/table.hpp"         // grouped, fixed
#include "fmsb/report/write_header.hpp"  // write_header

#include "options.hpp"          // search_command
#include "program/stopped.hpp"  // throw_if_stopped
#include "run_folder.hpp"       // begin_run

namespace driver {

namespace {

using namespace fmsb;
using report::grouped;

std::string network_text(const menu_item& item, const family& network) {
  return item.backbone + " of depth " + std::to_string(item.depth) + " and width " +
         std::to_string(item.width) + ", " + std::to_string(network.places()) + " places, " +
         std::to_string(network.points().size()) + " convolutions for each (space " + item.space + ": " +
         item.values + ")";
}

/// So that a run that is ended loses no more than an epoch.
std::uint64_t steps_an_epoch(const search_wishes& wanted, std::size_t examples) {
  const auto whole = static_cast<double>(batches_an_epoch(wanted.batch, examples));
  return static_cast<std::uint64_t>(wanted.share * whole) + 1;
}

std::vector<std::string> provenance(const search_command& wanted, const menu_item& item, const dataset& of) {
  return {"found by `dash search`, fmsb " + std::string(version),
          "data: " + of.name + ", " + grouped(of.train.size()) + " training " + of.kind + ", checksum " +
              of.checksum,
          "backbone: " + item.backbone + ", depth " + std::to_string(item.depth) + ", width " +
              std::to_string(item.width),
          "search: " + std::to_string(wanted.wishes.epochs) + " epochs, seed " +
              std::to_string(wanted.wishes.seed)};
}

report::json to_json(const search_wishes& wanted, const family& network, const search_outcome& found) {
  const auto names = network.points();
  const auto texts = [&](const std::vector<std::size_t>& points) {
    std::vector<std::string> out;
    for (const auto p : points) out.push_back(names.at(p));
    return out;
  };
  report::json out;
  out["options"] = to_json(wanted);
  out["found"] = {{"points", texts(found.points)}, {"indices", found.points}};
  if (!found.candidates.empty()) {
    out["candidates"] = report::json::array();
    for (const auto& [points, loss] : found.candidates)
      out["candidates"].push_back({{"points", texts(points)}, {"validation_loss", loss}});
  }
  const auto last = found.shares.records() - 1;
  out["entropy"] = {{"first", found.shares.entropy(0)}, {"last", found.shares.entropy(last)}};
  out["unchanged_epochs"] = found.shares.settled();
  out["training"] = train::to_json(found.training);
  out["trace"] = network.trace_json(found.shares);
  return out;
}

}  // namespace

std::string search(const search_command& given) {
  const auto& item = choose(given.data.task, given.network);
  auto wanted = given;
  wanted.network = {.space = item.space, .backbone = item.backbone, .width = item.width, .depth = item.depth};
  const auto of = read_dataset(wanted.data);
  const auto& network = item.get();
  require_positions(item, of.train.members().shape());
  require_augmentation(wanted.wishes.augment, of.train.members().shape());
  auto run = begin_run(wanted, of);

  auto wishes = wanted.wishes;
  wishes.checkpoint_every = steps_an_epoch(wishes, of.train.size());
  wishes.checkpoint = run.folder / "search.checkpoint";
  wishes.log = run.folder / "log.jsonl";
  wishes.progress = "search";
  const auto found = network.search(of.train, of.validation, wishes);
  throw_if_stopped(found.training);

  const auto stack = network.stack(found.points, of.channels());
  report::write_header(run.folder / "found.hpp",
                       network.header(found.points, of.channels(), "network", provenance(wanted, item, of)));
  report::draw(network.trace_figure(found.shares), run.folder / "trace.svg");
  report::draw(network.entropy_figure(found.shares), run.folder / "entropy.svg");
  report::draw(report::stack_figure(stack), run.folder / "architecture.svg");
  run.report["program"] = run.described.at("program");
  run.report["data"] = of.to_json();
  run.report["network"] = run.described.at("network");
  run.report["search"] = to_json(wishes, network, found);
  run.write_report();

  const auto last = found.shares.records() - 1;
  return of.text() + network_text(item, network) + "\n\n" + report::stack_table(stack).text() +
         "\nsearched " + std::to_string(last) + " epochs, " + grouped(found.training.steps) + " steps, in " +
         report::print_duration(found.training.seconds) + "; entropy of the shares " +
         report::fixed(found.shares.entropy(0), 2) + " at first, " +
         report::fixed(found.shares.entropy(last), 2) + " at last\nwritten to " + run.folder.string() +
         ": report.json, found.hpp, trace.svg, entropy.svg, architecture.svg, log.jsonl\n" +
         "next: dash train --run " + run.folder.string() + "\n";
}

}  // namespace driver
