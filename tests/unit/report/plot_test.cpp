#include "fmsb/report/plot.hpp"

#include "fmsb/report/forecast_panels.hpp"

#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <cmath>    // std::sin
#include <cstdlib>  // setenv
#include <limits>   // std::numeric_limits

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::put,
    fmsb::test::message_of;

namespace {

/// The PATH while the object lives.
class path_of_programs {
 public:
  explicit path_of_programs(const std::string& path) : before_(std::getenv("PATH")) {
    ::setenv("PATH", path.c_str(), 1);
  }
  ~path_of_programs() { ::setenv("PATH", before_.c_str(), 1); }
  path_of_programs(const path_of_programs&) = delete;
  path_of_programs& operator=(const path_of_programs&) = delete;

 private:
  std::string before_;
};

bool can_draw() {
  if (std::system("command -v gnuplot > /dev/null 2>&1") == 0) return true;
  fmsb::test::skip("gnuplot is not installed");
  return false;
}

report::forecast_picture picture(std::string title) {
  report::forecast_picture out{.title = std::move(title), .x_label = "hour", .y_label = "°C"};
  for (int t = 0; t < 60; ++t) {
    out.past_x.push_back(t);
    out.past.push_back(std::sin(t / 4.0));
  }
  report::forecast_interval inner{.8, {}, {}}, outer{.95, {}, {}};
  for (int t = 60; t < 84; ++t) {
    out.x.push_back(t);
    out.forecast.push_back(std::sin(t / 4.0));
    out.truth.push_back(std::sin(t / 4.1));
    inner.lower.push_back(out.forecast.back() - 0.2);
    inner.upper.push_back(out.forecast.back() + 0.2);
    outer.lower.push_back(out.forecast.back() - 0.4);
    outer.upper.push_back(out.forecast.back() + 0.4);
  }
  out.intervals = {inner, outer};
  return out;
}

report::figure three_panels() {
  std::vector<double> orders, low, high;
  for (int p = 1; p <= 100; ++p) {
    orders.push_back(p);
    low.push_back(1 + 1.0 / p);
    high.push_back(9 + 1.0 / p);
  }
  return {.panels = {report::forecast_panel(picture("A forecast")),
                     report::horizon_panel("Error by horizon", "mse", {{"model", low}, {"last value", high}}),
                     report::criterion_panel("Criterion", "log mse",
                                             {{"d = 0", orders, low}, {"d = 2", orders, high}})}};
}

}  // namespace

TEST_CASE("a figure is drawn in every format that its name may ask for") {
  if (!can_draw()) return;
  const temporary_folder folder;
  report::draw(three_panels(), folder.path / "f.svg");
  report::draw(three_panels(), folder.path / "f.png");
  report::draw(three_panels(), folder.path / "f.pdf");
  const auto svg = contents(folder.path / "f.svg");
  CHECK(svg.starts_with("<?xml"));
  CHECK(svg.find("</svg>") != std::string::npos);
  for (const char* words : {"A forecast", "95 % interval", "80 % interval", "last value",
                            "d = 0: least at p = 100", "d = 2: least at p = 100, above this axis", "°C"})
    CHECK_MESSAGE(svg.find(words) != std::string::npos, words);
  CHECK(contents(folder.path / "f.png").starts_with("\x89PNG"));
  CHECK(contents(folder.path / "f.pdf").starts_with("%PDF"));
  CHECK(folder.names().size() == 3);
}

TEST_CASE("times on the axis are dates, whatever their digits") {
  if (!can_draw()) return;
  const temporary_folder folder;
  auto p = picture("Dates");
  for (auto* xs : {&p.past_x, &p.x})
    for (double& x : *xs) x = 1'500'000'000 + 3600 * x;  // the first is 1.5e+09 in the fewest digits
  p.x_is_time = true;
  report::draw({.panels = {report::forecast_panel(p)}}, folder.path / "f.svg");
  const auto svg = contents(folder.path / "f.svg");
  CHECK(svg.find("Jul") != std::string::npos);
  CHECK(svg.find("1970") == std::string::npos);
  CHECK(svg.find("Jan") == std::string::npos);
}

TEST_CASE("no text can end its quotes or speak to gnuplot") {
  CHECK(holds("every quote within is doubled, and no control character is left", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "'", "\"", "\\", "\n", "`", "$", "µ", "\xFF", "日", "a", "\xE6\x97", "'''", "@"));
    std::string text;
    for (const auto& part : parts) text += part;
    for (const bool any_script : {true, false}) {
      const auto quoted = report::detail::gnuplot_text(text, any_script);
      RC_ASSERT(quoted.size() >= 2u);
      RC_ASSERT(quoted.front() == '\'');
      RC_ASSERT(quoted.back() == '\'');
      for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        RC_ASSERT(static_cast<unsigned char>(quoted[i]) >= 0x20);
        if (quoted[i] == '\'') {
          RC_ASSERT(i + 2 < quoted.size());
          RC_ASSERT(quoted[++i] == '\'');
        }
      }
    }
  }));
  CHECK(report::detail::gnuplot_text("日本 µ²", false) == "'?? µ²'");
}

TEST_CASE("hostile titles are drawn as they stand") {
  if (!can_draw()) return;
  const temporary_folder folder;
  auto p = picture("it's; !touch hurt `touch hurt` \"$x\" _a^b {/Bold} \\n <b>&amp;\n\xFF");
  report::draw({.panels = {report::forecast_panel(p)}}, folder.path / "f.svg");
  CHECK(contents(folder.path / "f.svg")
            .find("it's; !touch hurt `touch hurt` \"$x\" _a^b {/Bold} \\n &lt;b>&amp;amp; ?") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists("hurt"));
  report::draw({.panels = {report::forecast_panel(p)}}, folder.path / "f.png");
  CHECK(folder.names().size() == 2);
}

TEST_CASE("gaps, empty panels and values that are not finite do not stop a picture") {
  if (!can_draw()) return;
  const temporary_folder folder;
  auto p = picture("Gaps");
  p.past[10] = p.past.back() = std::numeric_limits<double>::quiet_NaN();
  p.forecast[3] = std::numeric_limits<double>::infinity();
  const double gap = std::numeric_limits<double>::quiet_NaN();
  report::figure f{.panels = {report::forecast_panel(p),
                              report::panel{.title = "Nothing", .x_is_time = true, .x_logarithmic = true},
                              report::forecast_panel({.title = "No rows", .x_is_time = true}),
                              report::criterion_panel("None", "y", {{"d = 0", {1, 2}, {gap, gap}}}),
                              report::criterion_panel("One", "y", {{"d = 0", {5}, {1}}})},
                   .columns = 2};
  CHECK_NOTHROW(report::draw(f, folder.path / "f.png"));
}

TEST_CASE("without gnuplot a sentence says so, and the old picture stays") {
  const temporary_folder folder, empty;
  put(folder.path / "f.svg", "old");
  const path_of_programs nowhere(empty.path.string());
  CHECK(message_of<fmsb::error>([&] { report::draw(three_panels(), folder.path / "f.svg"); }) ==
        "plot: gnuplot was not found on the PATH; install it (Debian: gnuplot-nox) or leave the plot out.");
  CHECK(contents(folder.path / "f.svg") == "old");
  CHECK(folder.names().size() == 1);
}

TEST_CASE("where gnuplot fails its last words are told, and no picture is left") {
  const temporary_folder folder, programs;
  put(programs.path / "gnuplot",
      "#!/bin/sh\necho half a picture\necho '    line 3: no such terminal' >&2\necho 'Warning: odd' "
      ">&2\nexit 1\n");
  std::filesystem::permissions(programs.path / "gnuplot", std::filesystem::perms::owner_all);
  const path_of_programs broken(programs.path.string());
  CHECK(message_of<fmsb::error>([&] { report::draw(three_panels(), folder.path / "f.png"); }) ==
        "plot: gnuplot failed: line 3: no such terminal.");
  CHECK(folder.names().empty());
  put(programs.path / "gnuplot", "#!/bin/sh\nexit 0\n");
  CHECK(message_of<fmsb::error>([&] {
          report::draw(three_panels(), folder.path / "f.png");
        }).find("drew nothing") != std::string::npos);
  CHECK(folder.names().empty());
}

TEST_CASE("another extension, no panel and lines of unequal length are refused") {
  CHECK_THROWS_AS(report::draw(three_panels(), "f.jpg"), fmsb::usage_error);
  CHECK_THROWS_AS(report::draw({}, "f.svg"), fmsb::usage_error);
  auto p = picture("x");
  p.forecast.pop_back();
  CHECK_THROWS_AS((void)report::forecast_panel(p), fmsb::usage_error);
  CHECK_THROWS_AS((void)report::criterion_panel("x", "y", {{"d = 0", {1, 2}, {1}}}), fmsb::usage_error);
}
