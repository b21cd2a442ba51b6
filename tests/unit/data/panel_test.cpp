#include "fmsb/data/panel.hpp"

#include "fmsb/data/panel_splits.hpp"
#include "fmsb/data/panel_windows.hpp"
#include "fmsb/data/read_panel.hpp"
#include "fmsb/data/timestamps.hpp"

#include "series_support.hpp"
#include "support/data.hpp"
#include "support/property.hpp"

#include <zlib.h>  // gzopen

#include <filesystem>   // std::filesystem::temp_directory_path
#include <map>          // std::map
#include <sstream>      // std::ostringstream
#include <type_traits>  // std::is_same_v
#include <unistd.h>     // getpid

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::same_values, fmsb::test::kGap, fmsb::test::message_of;

namespace {

const data::panel_options kVitals{.id = "patient", .time = "hour"};

data::panel read(std::string_view text, const data::panel_options& options = kVitals) {
  return data::parse_panel(text, options, "vitals.csv");
}

std::string mistake(std::string_view text, const data::panel_options& options = kVitals) {
  return message_of<data_error>([&] { (void)read(text, options); });
}

/// Up to six series of one or two channels with gaps, of up to twelve rows each.
data::panel draw_panel(std::size_t fewest = 0) {
  const auto channels = *rc::gen::inRange<std::size_t>(1, 3);
  std::vector<std::string> ids;
  std::vector<data::series> members;
  for (auto left = *rc::gen::inRange<std::size_t>(fewest, fewest + 7); left > 0; --left) {
    const auto rows = *rc::gen::inRange<std::size_t>(1, 13);
    const auto start = *rc::gen::inRange<data::timestamp>(-5, 6);
    std::vector<double> values;
    for (std::size_t i = 0; i < channels * rows; ++i)
      values.push_back(*rc::gen::inRange(0, 4) == 0 ? kGap : *rc::gen::inRange(-999, 1000) / 10.0);
    std::vector<data::timestamp> times;
    for (std::size_t t = 0; t < rows; ++t) times.push_back((start + static_cast<data::timestamp>(t)) * 3600);
    const std::vector<std::string> names{"a", "b"};
    members.emplace_back(std::vector(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(channels)),
                         times, values);
    ids.push_back("p" + std::to_string(7 * left % 11) + "," + std::to_string(left));
  }
  return {std::move(ids), std::move(members)};
}

/// The long table of a panel, without the rows that `dropped` names.
template <class Dropped>
std::string written(const data::panel& panel, Dropped dropped) {
  std::ostringstream out;
  out << "hour,patient";
  for (const auto& name : panel.channels()) out << "," << name;
  for (std::size_t i = 0; i < panel.size(); ++i)
    for (std::size_t t = 0; t < panel[i].length(); ++t) {
      if (dropped(i, t)) continue;
      out << "\n" << panel[i].times()[t] / 3600 << ",\"" << panel.id(i) << "\"";
      for (std::size_t c = 0; c < panel[i].channels(); ++c) {
        out << ",";
        if (!std::isnan(panel[i].channel(c)[t])) out << panel[i].channel(c)[t];
      }
    }
  return out.str();
}

data::panel patients(std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back("patient " + std::to_string(i));
  return {ids, std::vector<data::series>(count, fmsb::test::one_channel({1, 2, 3}))};
}

}  // namespace

TEST_CASE("a long table becomes one series an id, in the order of the file") {
  const auto vitals = read("patient,hour,HR,MAP\n7,0,80,\n7,1,,70.5\nb,10,90,60\nb,11,91,61\nb,12,92,62\n");
  CHECK(vitals.ids() == std::vector<std::string>{"7", "b"});
  CHECK(vitals.channels() == std::vector<std::string>{"HR", "MAP"});
  CHECK(vitals.rows() == 5);
  CHECK(same_values(vitals[0].channel(0), std::vector{80, kGap}));
  CHECK(same_values(vitals[0].channel(1), std::vector{kGap, 70.5}));
  CHECK(same_values(vitals[1].channel(1), std::vector<double>{60, 61, 62}));
  CHECK(vitals[1].times()[0] == 36000);
  CHECK(vitals.find("b") == 1);
  CHECK(!vitals.find("B"));
  CHECK(vitals.channel("MAP") == 1);
}

TEST_CASE("what is written as a long table is read back, absent rows as gaps") {
  CHECK(holds("read == written", [] {
    const auto panel = draw_panel(1);
    const auto keep_seed = *rc::gen::arbitrary<std::uint32_t>();
    // First and last rows stay: what is absent there is not known to be absent.
    const auto dropped = [&](std::size_t i, std::size_t t) {
      return t > 0 && t + 1 < panel[i].length() && (keep_seed >> ((5 * i + t) % 32) & 1u) != 0;
    };
    const auto back = read(written(panel, dropped));
    RC_ASSERT(back.ids() == panel.ids());
    RC_ASSERT(back.channels() == panel.channels());
    for (std::size_t i = 0; i < panel.size(); ++i) {
      RC_ASSERT(std::ranges::equal(back[i].times(), panel[i].times()));
      for (std::size_t c = 0; c < panel[i].channels(); ++c) {
        const auto from = panel[i].channel(c);
        std::vector<double> expected(from.begin(), from.end());
        for (std::size_t t = 0; t < expected.size(); ++t)
          if (dropped(i, t)) expected[t] = kGap;
        RC_ASSERT(same_values(back[i].channel(c), expected));
      }
    }
  }));
}

TEST_CASE("timestamps, other steps, chosen columns and words for gaps are read") {
  const auto by_date = read(
      "when;who;x;y\n2024-05-01 00:00;a;1;na\n2024-05-01 00:30;a;2;5\n2024-05-01 02:00;a;3;6\n",
      {.id = "who", .time = "when", .step = 1800, .columns = {"y"}, .missing = {"na"}, .delimiter = ';'});
  CHECK(by_date.channels() == std::vector<std::string>{"y"});
  CHECK(same_values(by_date[0].channel(0), std::vector{kGap, 5.0, kGap, kGap, 6.0}));
  CHECK(data::print_timestamp(by_date[0].times()[3]) == "2024-05-01 01:30:00");
  const auto minutes =
      read("patient,hour,x\n1,\"-2\",1\n1,+0,2\n", {.id = "patient", .time = "hour", .step = 60});
  CHECK(minutes[0].times()[0] == -120);
  CHECK(minutes[0].length() == 3);
}

TEST_CASE("rows that are out of order or twice are told by line and id") {
  CHECK(mistake("patient,hour,HR\n7,0,80\n7,0,81\n") ==
        "vitals.csv, row 3: patient \"7\" has the time 0 twice, in row 2 before; keep one row a time.");
  CHECK(mistake("patient,hour,HR\n7,5,80\n7,4,81\n") ==
        "vitals.csv, row 3: patient \"7\" goes back from 5 to 4; sort the rows by patient and hour.");
  CHECK(
      mistake("patient,hour,HR\n7,0,80\n7,1,80\n8,0,80\n7,2,81\n") ==
      "vitals.csv, row 5: patient \"7\" has rows above this one that end in row 3; sort the rows by patient "
      "and hour.");
}

TEST_CASE("absent rows are gaps, or an error where they are refused, and a leap is one in any case") {
  const char* const table = "patient,hour,HR\n7,0,80\n7,3,81\n";
  CHECK(read(table)[0].length() == 4);
  CHECK(
      mistake(table, {.id = "patient", .time = "hour", .absent = data::absent_rows::refused}) ==
      "vitals.csv, row 3: patient \"7\" has no row between 0 and 3; 2 are absent. Complete the table, or let "
      "absent rows become gaps.");
  CHECK(mistake("patient,hour,HR\n7,0,80\n7,1000000000,81\n").find("leaps by 1000000000 steps") !=
        std::string::npos);
}

TEST_CASE("times that are none, lie between steps or change their kind are told") {
  CHECK(
      mistake("patient,hour,HR\n7,0.5,80\n").find("\"0.5\" is neither a whole number of steps nor a time") !=
      std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,,80\n").find("row 2, column \"hour\"") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,1e300,80\n").find("neither a whole number") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,noon,80\n").find("\"noon\" is neither") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,2024-05-01,80\n7,2024-05-01 00:30,80\n")
            .find("which are not whole steps of 3600 s") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,2024-05-01,80\n8,3,80\n").find("are mixed") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n,0,80\n").find("there is no id") != std::string::npos);
}

TEST_CASE("a table that is none is told as any CSV file is") {
  CHECK(mistake("") == "vitals.csv is empty: a header and rows of ids, times and numbers were expected.");
  CHECK(mistake("patient,hour,HR\n").find("no rows follow the header") != std::string::npos);
  CHECK(mistake("patient,hour\n7,0\n").find("no column of numbers beside") != std::string::npos);
  CHECK(mistake("stay,hour,HR\n7,0,80\n") ==
        "vitals.csv: there is no column \"patient\" of ids; the file has stay, hour, HR.");
  CHECK(mistake("patient,hour,HR\n7,0\n").find("row 2 has 2 cells") != std::string::npos);
  CHECK(mistake("patient,hour,HR\n7,0,high\n").find("\"high\" is not a number") != std::string::npos);
  const auto asked = [](const data::panel_options& options) {
    return message_of<usage_error>([&] { (void)read("patient,hour,HR\n7,0,80\n", options); });
  };
  CHECK(asked({}).find("name the column of ids") != std::string::npos);
  CHECK(asked({.id = "hour", .time = "hour"}).find("which are two") != std::string::npos);
  CHECK(asked({.id = "patient", .time = "hour", .step = 0}).find("a step of 0 s") != std::string::npos);
  CHECK(asked({.id = "patient", .time = "hour", .columns = {"hour"}}).find("cannot be a channel") !=
        std::string::npos);
}

TEST_CASE("a panel packed by gzip is read as it is unpacked, with a byte order mark or without") {
  const auto path =
      std::filesystem::temp_directory_path() / ("fmsb-panel-" + std::to_string(::getpid()) + ".csv.gz");
  const std::string text = "\xEF\xBB\xBFpatient,hour,HR\r\n7,0,80\r\n7,1,81\r\n";
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) > 0);
  gzclose(file);
  const auto panel = data::read_panel(path, kVitals);
  std::filesystem::remove(path);
  CHECK(panel.ids() == std::vector<std::string>{"7"});
  CHECK(same_values(panel[0].channel(0), std::vector<double>{80, 81}));
}

TEST_CASE("a panel refuses ids that stand twice, channels that differ and places beyond the last") {
  const auto one = fmsb::test::one_channel({1});
  CHECK_THROWS_AS(data::panel({"a"}, {}), usage_error);
  CHECK_THROWS_AS(data::panel({"a", "a"}, {one, one}), usage_error);
  CHECK_THROWS_AS(data::panel({"a", "b"}, {one, data::series({"y"}, {}, {1})}), usage_error);
  const data::panel panel({"a", "b"}, {one, one});
  CHECK_THROWS_AS((void)panel[2], usage_error);
  CHECK_THROWS_AS((void)panel.id(2), usage_error);
  CHECK_THROWS_AS((void)panel.channel("y"), usage_error);
  CHECK_THROWS_AS((void)data::panel().channel("x"), usage_error);
  CHECK(panel.subset(std::vector<std::size_t>{1}).ids() == std::vector<std::string>{"b"});
}

TEST_CASE("every id falls to one part by a rule that looks at nothing but the id, the shares and the seed") {
  static_assert(
      !std::is_same_v<decltype(data::panel_splits::validation), decltype(data::panel_splits::test)>);
  CHECK(holds("split_by_id", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const data::split_shares shares{.train = .5, .validation = .2, .test = .3};
    const auto few = patients(80), many = patients(160);
    std::map<std::string, data::role> before;
    const auto record = [&](const auto& part) {
      for (const auto& id : part.members().ids()) RC_ASSERT(before.emplace(id, part.kind).second);
    };
    const auto cut = data::split_by_id(few, shares, seed);
    record(cut.train), record(cut.validation), record(cut.test);
    RC_ASSERT(before.size() == 80u);
    const auto later = data::split_by_id(many, shares, seed);
    for (const auto& id : later.train.members().ids())
      if (before.contains(id)) RC_ASSERT((before[id] == data::role::train));
    for (const auto& id : later.test.members().ids())
      if (before.contains(id)) RC_ASSERT((before[id] == data::role::test));
    RC_ASSERT(later.train.size() + later.validation.size() + later.test.size() == 160u);
  }));
}

TEST_CASE("parts have their shares on average, and another seed moves ids") {
  const auto all = patients(4000);
  const data::split_shares shares{.train = .7, .validation = .1, .test = .2};
  const auto one = data::split_by_id(all, shares, 1), other = data::split_by_id(all, shares, 2);
  // Five standard deviations of a binomial count.
  CHECK(std::abs(static_cast<double>(one.train.size()) - 2800) < 145);
  CHECK(std::abs(static_cast<double>(one.validation.size()) - 400) < 95);
  CHECK(std::abs(static_cast<double>(one.test.size()) - 800) < 127);
  CHECK(one.train.members().ids() != other.train.members().ids());
  CHECK(one.name == "by id 0.7,0.1,0.2, seed 1");
  CHECK(data::role_of("132540", shares, 1) == data::role_of("132540", shares, 1));
}

TEST_CASE("shares that do not sum to 1 and parts without an id are refused") {
  CHECK_THROWS_AS((void)data::split_by_id(patients(50), {.train = .7, .validation = .1, .test = .1}, 1),
                  usage_error);
  CHECK_THROWS_AS((void)data::split_by_id(patients(50), {.train = 1, .validation = 0, .test = 0}, 1),
                  usage_error);
  CHECK_THROWS_AS((void)data::split_by_id(patients(2), {.train = .7, .validation = .1, .test = .2}, 1),
                  data_error);
}

TEST_CASE("windows are those that hold enough numbers, none else, in order and without a copy") {
  CHECK(holds("panel_windows by trying every start", [] {
    const auto panel = draw_panel();
    data::window_rule rule{.context = *rc::gen::inRange<std::size_t>(1, 6),
                           .horizon = *rc::gen::inRange<std::size_t>(1, 4),
                           .stride = *rc::gen::inRange<std::size_t>(1, 4)};
    rule.observed = *rc::gen::inRange<std::size_t>(0, rule.context + 1);
    if (*rc::gen::arbitrary<bool>())
      rule.observed_horizon = *rc::gen::inRange<std::size_t>(0, rule.horizon + 1);
    const data::panel_windows windows(panel, rule);
    std::size_t number = 0, candidates = 0, with = 0;
    for (std::size_t i = 0; i < panel.size(); ++i) {
      const auto before = number;
      for (std::size_t start = 0; start + rule.context + rule.horizon <= panel[i].length();
           start += rule.stride) {
        ++candidates;
        const auto context = panel[i].channel(0).subspan(start, rule.context);
        const auto horizon = panel[i].channel(0).subspan(start + rule.context, rule.horizon);
        const auto known = [](auto values) {
          return static_cast<std::size_t>(
              std::count_if(values.begin(), values.end(), [](double x) { return !std::isnan(x); }));
        };
        if (known(context) < rule.observed || known(horizon) < rule.observed_horizon.value_or(rule.horizon))
          continue;
        RC_ASSERT(number < windows.size());
        const auto found = windows[number++];
        RC_ASSERT(found.series == i);
        RC_ASSERT(found.start == start);
        RC_ASSERT((found.context.data() == context.data() && found.context.size() == rule.context));
        RC_ASSERT((found.horizon.data() == horizon.data() && found.horizon.size() == rule.horizon));
      }
      with += number > before ? 1 : 0;
    }
    RC_ASSERT(windows.size() == number);
    RC_ASSERT(windows.candidates() == candidates);
    RC_ASSERT(windows.series_with_windows() == with);
    std::size_t walked = 0;
    for (const auto& window : windows) RC_ASSERT(window.start == windows[walked++].start);
    RC_ASSERT(walked == number);
  }));
}

TEST_CASE("windows of a part keep its use in their type, and look at the channel that is named") {
  static_assert(std::is_same_v<decltype(data::part_windows(std::declval<data::panel_part<data::role::test>>(),
                                                           data::window_rule{})),
                               data::test_windows>);
  static_assert(!std::is_convertible_v<data::test_windows, data::train_windows>);
  const auto panel = read("patient,hour,a,b\n7,0,1,\n7,1,2,5\n7,2,3,6\n");
  CHECK(data::panel_windows(panel, {.context = 2, .horizon = 1, .observed = 2}).size() == 1);
  CHECK(data::panel_windows(panel, {.channel = "b", .context = 2, .horizon = 1, .observed = 2}).empty());
  CHECK(data::panel_windows(panel, {.channel = "b", .context = 2, .horizon = 1})[0].horizon[0] == 6);
  const data::train_windows train(data::panel_part<data::role::train>(panel), {.context = 1, .horizon = 1});
  CHECK(train.size() == 2);
}

TEST_CASE("rules that no window can keep are refused") {
  const auto panel = patients(1);
  CHECK_THROWS_AS(data::panel_windows(panel, {.context = 0, .horizon = 1}), usage_error);
  CHECK_THROWS_AS(data::panel_windows(panel, {.context = 1, .horizon = 0}), usage_error);
  CHECK_THROWS_AS(data::panel_windows(panel, {.context = 1, .horizon = 1, .stride = 0}), usage_error);
  CHECK_THROWS_AS(data::panel_windows(panel, {.context = 1, .horizon = 1, .observed = 2}), usage_error);
  CHECK_THROWS_AS(data::panel_windows(panel, {.context = 1, .horizon = 1, .observed_horizon = 2}),
                  usage_error);
  CHECK_THROWS_AS(data::panel_windows(panel, {.channel = "y", .context = 1, .horizon = 1}), usage_error);
  CHECK(data::panel_windows(panel, {.context = 3, .horizon = 1}).empty());
  CHECK_THROWS_AS((void)data::panel_windows(panel, {.context = 3, .horizon = 1})[0], usage_error);
}

TEST_CASE("the intensive-care table holds 2,377 stays of 48 hours") {
  const auto path = fmsb::test::data_file("vitals/icu_hourly_a.csv");
  if (!path) {
    fmsb::test::skip("icu_hourly_a.csv is not in the data folder");
    return;
  }
  const auto stays = data::read_panel(*path, kVitals);
  CHECK(stays.size() == 2377);
  CHECK(stays.rows() == 2377u * 48);
  CHECK(stays.channels() == std::vector<std::string>{"heart_rate_bpm", "mean_pressure_mmhg"});
  CHECK(stays.id(0) == "132540");
  CHECK(std::isnan(stays[0].channel(0)[0]));
  CHECK(stays[0].channel(1)[2] == 72.67);
  const data::panel_windows windows(
      stays, {.channel = "mean_pressure_mmhg", .context = 36, .horizon = 6, .observed = 18});
  CHECK(windows.candidates() == 2377u * 7);
  CHECK(windows.size() == 13959);
  CHECK(windows.series_with_windows() == 2311);
  const auto parts = data::split_by_id(stays, {.train = .7, .validation = .1, .test = .2}, 1);
  CHECK(parts.train.size() + parts.validation.size() + parts.test.size() == 2377);
}
