#include "fmsb/report/convolution_stack.hpp"

#include "fmsb/report/plot.hpp"
#include "fmsb/space/conv_space.hpp"  // space::tap, space::receptive_field

#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <cstdlib>  // std::system
#include <set>      // std::set

#include "support/doctest.hpp"

namespace report = fmsb::report;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::contents, fmsb::test::message_of;

namespace {

report::convolution_stack drawn_stack(std::size_t most) {
  report::convolution_stack out{.title = "drawn"};
  const auto layers = *rc::gen::inRange<std::size_t>(1, most + 1);
  for (std::size_t i = 0; i < layers; ++i)
    out.layers.push_back({.name = "conv" + std::to_string(i),
                          .kernel = *rc::gen::inRange(1, 6),
                          .dilation = *rc::gen::inRange(1, 5),
                          .stride = *rc::gen::inRange(1, 4)});
  return out;
}

report::convolution_stack three_layers() {
  return {.title = "found",
          .layers = {{.name = "conv0", .in = 5, .out = 64, .kernel = 11},
                     {.name = "conv1", .in = 64, .out = 64, .kernel = 3, .dilation = 7, .stride = 2},
                     {.name = "conv2", .in = 64, .out = 1280, .kernel = 5, .dilation = 3}}};
}

std::string refusal(report::convolution_layer layer) {
  return message_of<fmsb::usage_error>([&] { (void)report::reaches({.layers = {{}, layer}}); });
}

}  // namespace

TEST_CASE("what a stack sees is what its taps reach, followed one by one") {
  CHECK(holds("the first and the last of all sums of taps, each times the strides before it", [] {
    const auto stack = drawn_stack(5);
    const auto seen = report::reaches(stack);
    RC_ASSERT(seen.size() == stack.layers.size());
    std::set<long long> touched{0};
    long long step = 1;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      std::set<long long> next;
      for (const auto from : touched)
        for (long long t = 0; t < stack.layers[i].kernel; ++t)
          next.insert(from + step * stack.layers[i].tap(t));
      touched = next;
      step *= stack.layers[i].stride;
      RC_ASSERT(seen[i].first == *touched.begin());
      RC_ASSERT(seen[i].last == *touched.rbegin());
    }
  }));
}

TEST_CASE("taps and fields are those of the points of a space") {
  using point = fmsb::space::point<"kernel", "dilation">;
  for (int kernel = 1; kernel <= 11; ++kernel)
    for (int dilation = 1; dilation <= 7; ++dilation) {
      const point p{{kernel, dilation}};
      const report::convolution_layer layer{.name = "x", .kernel = kernel, .dilation = dilation};
      CHECK(layer.field() == fmsb::space::receptive_field(p));
      for (int t = 0; t < kernel; ++t) CHECK(layer.tap(t) == fmsb::space::tap(p, t));
    }
}

TEST_CASE("the table has a row a layer, and a dash for channels that are not known") {
  CHECK(report::stack_table(three_layers()).text() ==
        "layer  in    out  kernel  dilation  stride  spans  sees\n"
        "conv0   5     64      11         1       1     11    11\n"
        "conv1  64     64       3         7       2     15    25\n"
        "conv2  64  1,280       5         3       1     13    49\n");
  CHECK(report::stack_table({.layers = {{.name = "a"}}}).text().find("a       -    -") != std::string::npos);
}

TEST_CASE("pooling and interpolation between layers widen what is seen") {
  // Three taps; the larger of two; three taps at every second position: 3 + 1 + 2 * 2 positions. Then back to
  // every position, between two of the lower ones: 2 more; and three taps: 2 more.
  const report::convolution_stack stack{.layers = {{.name = "above", .kernel = 3, .step = 1},
                                                   {.name = "below", .kernel = 3, .step = 2, .wider = 1},
                                                   {.name = "back", .kernel = 3, .step = 1, .wider = 2}}};
  const auto seen = report::reaches(stack);
  CHECK(seen[1].field() == 8);
  CHECK(seen[2].field() == 12);
  const auto text = report::stack_table(stack).text();
  CHECK(text.find("stride  step  spans  sees\n") != std::string::npos);
  CHECK(text.find("     1     2      3     8\n") != std::string::npos);
}

TEST_CASE("the figure has a dot a tap and a bar a layer, on rows with names") {
  CHECK(holds("dots at the taps, bars at the spans and at the reaches", [] {
    const auto stack = drawn_stack(13);
    const auto f = report::stack_figure(stack);
    const auto seen = report::reaches(stack);
    RC_ASSERT(f.panels.size() == 2u);
    const auto &taps = f.panels[0], &sees = f.panels[1];
    std::size_t dot = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const auto& layer = stack.layers[i];
      for (long long t = 0; t < layer.kernel; ++t, ++dot) {
        RC_ASSERT(taps.curves[0].x[dot] == static_cast<double>(layer.tap(t)));
        RC_ASSERT(taps.curves[0].y[dot] == static_cast<double>(i));
      }
      RC_ASSERT(taps.bands[0].x[3 * i + 1] - taps.bands[0].x[3 * i] ==
                static_cast<double>(layer.field() - 1));
      RC_ASSERT(sees.bands[0].x[3 * i + 1] - sees.bands[0].x[3 * i] == static_cast<double>(seen[i].field()));
      RC_ASSERT(sees.rows[i] == fmsb::grouped(static_cast<std::uint64_t>(seen[i].field())));
    }
    RC_ASSERT(taps.curves[0].x.size() == dot);
    RC_ASSERT(taps.rows.size() == seen.size());
  }));
}

TEST_CASE("an architecture is drawn in every format") {
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0)
    return fmsb::test::skip("gnuplot is not installed");
  const temporary_folder folder;
  for (const char* name : {"f.svg", "f.png", "f.pdf"})
    report::draw(report::stack_figure(three_layers()), folder.path / name);
  const auto svg = contents(folder.path / "f.svg");
  for (const char* words :
       {"found: taps of each layer", "found: receptive field so far", "conv1  k3 d7 s2", ">25<"})
    CHECK_MESSAGE(svg.find(words) != std::string::npos, words);
}

TEST_CASE("a stack that cannot be is refused in a sentence") {
  CHECK(message_of<fmsb::usage_error>([] { (void)report::stack_table({.title = "t"}); }) ==
        "convolution_stack: \"t\" has no layers to be shown.");
  CHECK(refusal({.name = "c", .kernel = 0}) ==
        "convolution_stack: layer \"c\": kernel 0, dilation 1 and stride 1 must be at least 1.");
  CHECK(refusal({.name = "c", .stride = -1}).find("at least 1") != std::string::npos);
  CHECK(refusal({.name = "c", .in = -1}).find("channels") != std::string::npos);
  CHECK(refusal({.name = "c", .wider = -1}).find("cannot make its step or field smaller") !=
        std::string::npos);
  CHECK(refusal({.name = "c", .step = 1LL << 61, .wider = 1LL << 61}).find("2^50") != std::string::npos);
  CHECK(refusal({.name = "c", .kernel = 1LL << 62, .dilation = 1LL << 62}).find("2^50") != std::string::npos);
  report::convolution_stack halved;
  for (int i = 0; i < 80; ++i) halved.layers.push_back({.name = "halve", .kernel = 2, .stride = 2});
  CHECK_THROWS_AS((void)report::reaches(halved), fmsb::usage_error);
}
