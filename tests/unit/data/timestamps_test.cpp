#include "fmsb/data/timestamps.hpp"

#include "fmsb/core/error.hpp"

#include "series_support.hpp"
#include "support/property.hpp"

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::parse_timestamp, data::find_spacing;
using fmsb::test::holds, fmsb::test::message_of;

TEST_CASE("what is printed is read back, from year 1 to year 9999") {
  CHECK(holds("parse(print(t)) == t", [] {
    const auto when = *rc::gen::inRange<data::timestamp>(-62'135'596'800, 253'402'300'800);
    RC_ASSERT(parse_timestamp(data::print_timestamp(when)) == when);
  }));
}

TEST_CASE("dates and times are read in the forms that tables hold") {
  const data::timestamp day = 1467331200;  // 2016-07-01
  CHECK(parse_timestamp("1970-01-01") == 0);
  CHECK(parse_timestamp("2016-07-01") == day);
  CHECK(parse_timestamp("2016/07/01") == day);
  CHECK(parse_timestamp("2016/7/1 0:00") == day);
  CHECK(parse_timestamp("2016-07-01 05:30") == day + 19800);
  CHECK(parse_timestamp("2016-07-01T05:30:15") == day + 19815);
  CHECK(parse_timestamp("2016-07-01 05:30:15.000") == day + 19815);
  CHECK(parse_timestamp("2016-07-01T05:30:15Z") == day + 19815);
  CHECK(parse_timestamp("2016-07-01T05:30:15+02:00") == day + 19815 - 7200);
  CHECK(parse_timestamp("2016-06-30T22:00:00-02:00") == day);
  CHECK(parse_timestamp("2016-02-29").has_value());
  CHECK(data::print_timestamp(-1) == "1969-12-31 23:59:59");
}

TEST_CASE("no other text is taken for a date") {
  for (const char* text :
       {"", "2016", "20160701", "2016-07", "2016-13-01", "2015-02-29", "2016-07-01 ", "2016-07-01 24:00",
        "2016-07-01 05", "2016-07-01 05:61", "2016-07-01 05:30:15.5", "2016-07/01", "2016.07.01",
        "2016-07-01x", "12345.678", "1234-5678", "2016-07-01T05:30:15+0200", "07/01/2016"})
    CHECK_MESSAGE(!parse_timestamp(text).has_value(), text);
}

TEST_CASE("an even spacing is found and named") {
  const auto step_of = [](std::vector<data::timestamp> times) {
    return data::print_step(find_spacing(times).step);
  };
  CHECK(step_of({0, 3600, 7200}) == "hourly");
  CHECK(step_of({0, 600, 1200}) == "every 10 minutes");
  CHECK(step_of({0, 86400}) == "daily");
  CHECK(step_of({0, 604800, 1209600}) == "weekly");
  CHECK(step_of({0, 7, 14}) == "every 7 seconds");
}

TEST_CASE("months and years are steps though their lengths differ") {
  const auto dates = [](std::initializer_list<const char*> texts) {
    std::vector<data::timestamp> times;
    for (const char* text : texts) times.push_back(parse_timestamp(text).value());
    return times;
  };
  const auto monthly = dates({"2019-12-01", "2020-01-01", "2020-02-01", "2020-03-01"});
  CHECK(data::print_step(find_spacing(monthly).step) == "monthly");
  CHECK(data::print_date(data::next_timestamps(monthly, 2)[1]) == "2020-05-01");
  const auto ends = dates({"2019-12-31", "2020-01-31", "2020-02-29", "2020-03-31"});
  CHECK(find_spacing(ends).regular());
  CHECK(data::print_date(data::next_timestamps(ends, 1)[0]) == "2020-04-30");
  CHECK(data::print_step(
            find_spacing(dates({"2018-01-01", "2019-01-01", "2020-01-01", "2021-01-01"})).step) == "yearly");
  const auto gap =
      find_spacing(dates({"2020-01-01", "2020-02-01", "2020-04-01", "2020-05-01", "2020-06-01"}));
  CHECK(gap.jumps == 1);
  CHECK(gap.absent == 1);
  CHECK(gap.first_jump == 2);
}

TEST_CASE("a jump in time is counted, placed, and told in absent rows") {
  const auto s = find_spacing(std::vector<data::timestamp>{0, 10, 20, 50, 60, 60, 70, 80});
  CHECK(s.step.seconds == 10);
  CHECK(s.jumps == 2);
  CHECK(s.first_jump == 3);
  CHECK(s.absent == 2);
  CHECK_FALSE(s.regular());
}

TEST_CASE("timestamps that go back, stand alone or keep no step are refused") {
  using times = std::vector<data::timestamp>;
  CHECK_THROWS_AS((void)find_spacing(times{5}), fmsb::data_error);
  CHECK_THROWS_AS((void)find_spacing(times{5, 4}), fmsb::data_error);
  CHECK_THROWS_AS((void)find_spacing(times{5, 5, 5}), fmsb::data_error);
  CHECK(message_of<fmsb::data_error>([] {
          (void)find_spacing(times{0, 1, 3, 6, 10, 15});
        }).starts_with("time step: the rows have no prevailing distance in time"));
}

TEST_CASE("the timestamps of a forecast go on where the series ends") {
  const auto next = data::next_timestamps(std::vector<data::timestamp>{0, 3600, 7200}, 3);
  CHECK(next == std::vector<data::timestamp>{10800, 14400, 18000});
}
