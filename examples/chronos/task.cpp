#include "task.hpp"

#include "fmsb/core/fingerprint.hpp"  // hash_of
#include "fmsb/data/csv_cells.hpp"    // csv_cursor
#include "fmsb/data/file_bytes.hpp"   // read_bytes
#include "fmsb/data/read_panel.hpp"   // parse_panel
#include "fmsb/report/table.hpp"      // grouped

#include <algorithm>  // std::min
#include <array>      // std::array

namespace driver {

namespace {

using namespace fmsb;
using report::grouped;

std::vector<std::string> names_in(const std::string& text, const std::string& file) {
  data::detail::csv_cursor cells(text, ',', file);
  if (cells.at_blank_tail()) throw data_error(file + " is empty; a header and rows were expected.");
  std::vector<std::string> names;
  do names.emplace_back(cells.take_cell());
  while (!cells.record_ended());
  return names;
}

data::panel_options columns_of(const task_options& wanted, const std::string& text) {
  const auto names = names_in(text, wanted.series.string());
  if (names.size() < 3 && (wanted.id.empty() || wanted.time.empty()))
    throw data_error(
        wanted.series.string() + " has " + std::to_string(names.size()) +
        " columns; a table of many series has one of ids, one of times and one of numbers at least.");
  data::panel_options options{.id = wanted.id.empty() ? names[0] : wanted.id,
                              .time = wanted.time.empty() ? names[1] : wanted.time};
  options.columns = wanted.targets;
  options.missing = wanted.missing;
  return options;
}

std::vector<data::series> channels_of(const data::panel& members,
                                      const std::vector<target_windows>& targets) {
  std::vector<data::series> out;
  for (const auto& target : targets)
    for (std::size_t i = 0; i < members.size(); ++i)
      out.push_back(members[i].select(std::array{members.channel(target.name)}));
  return out;
}

void require_windows(const target_windows& target, const task_options& wanted) {
  const auto require = [&](const data::panel_windows& windows, const char* part) {
    if (windows.empty())
      throw data_error(
          wanted.series.string() + ": the " + part + " part has no window of \"" + target.name + "\" with " +
          std::to_string(wanted.context) + " + " + std::to_string(wanted.horizon) + " rows, " +
          std::to_string(wanted.observed) +
          " numbers in the first and all that are asked for in the second; shorten --context or lower "
          "--observed.");
  };
  require(target.train, "train");
  require(target.validation, "validation");
  require(target.test, "test");
}

}  // namespace

chronos::windows task::examples() const {
  const auto all = channels_of(splits.train.members(), targets);
  return {all,
          {.context = static_cast<index_t>(rule.context),
           .horizon = static_cast<index_t>(rule.horizon),
           .shortest_context = static_cast<index_t>(rule.context),
           .observed_in_context = static_cast<index_t>(rule.observed),
           .observed_in_horizon = static_cast<index_t>(rule.observed_horizon.value_or(rule.horizon))}};
}

std::vector<past_and_future> task::held_out(std::size_t most) const {
  std::vector<past_and_future> out;
  for (const auto& target : targets)
    for (const auto& w :
         some_of(target.validation, most == 0 ? 0 : std::max<std::size_t>(1, most / targets.size())))
      out.emplace_back(w.context, w.horizon);
  return out;
}

std::string task::text() const {
  std::string out = file + "  " + grouped(splits.train.size()) + " train, " +
                    grouped(splits.validation.size()) + " validation and " + grouped(splits.test.size()) +
                    " test ids (split " + splits.name + ")\n";
  for (const auto& target : targets)
    out += target.name + ": " + grouped(target.train.size()) + " train, " +
           grouped(target.validation.size()) + " validation and " + grouped(target.test.size()) +
           " test windows of " + std::to_string(rule.context) + " + " + std::to_string(rule.horizon) +
           " rows; " + grouped(splits.test.size() - target.test.series_with_windows()) +
           " test ids have none\n";
  return out;
}

std::vector<std::string> header_of(const fs::path& file) {
  return names_in(data::read_bytes(file).text, file.string());
}

task read_task(const task_options& wanted) {
  const auto text = data::read_bytes(wanted.series).text;
  const auto options = columns_of(wanted, text);
  const auto whole = data::parse_panel(text, options, wanted.series.string());
  if (wanted.shares.size() != 3)
    throw usage_error("--split takes three shares, of train, validation and test, such as .7,.1,.2.");
  task out{.file = wanted.series.filename().string(),
           .checksum = hash_of(text),
           .splits = data::split_by_id(whole, {wanted.shares[0], wanted.shares[1], wanted.shares[2]},
                                       wanted.split_seed),
           .targets = {},
           .rule = {.channel = {},
                    .context = wanted.context,
                    .horizon = wanted.horizon,
                    .stride = wanted.stride,
                    .observed = std::min(wanted.observed, wanted.context)}};
  if (wanted.observed_horizon > 0) out.rule.observed_horizon = wanted.observed_horizon;
  for (const auto& name : whole.channels()) {
    auto rule = out.rule;
    rule.channel = name;
    out.targets.push_back(
        {name, {out.splits.train, rule}, {out.splits.validation, rule}, {out.splits.test, rule}});
    require_windows(out.targets.back(), wanted);
  }
  return out;
}

}  // namespace driver
