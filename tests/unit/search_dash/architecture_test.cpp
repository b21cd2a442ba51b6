#include "fmsb/search/dash/architecture.hpp"  // stack_of, header_of

#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/models/unet_1d.hpp"            // unet_1d
#include "fmsb/models/unet_2d.hpp"            // unet_2d_small
#include "fmsb/models/wide_resnet_1d.hpp"     // wide_resnet_1d
#include "fmsb/models/wide_resnet_2d.hpp"     // wide_resnet_2d
#include "fmsb/search/dash/trace_report.hpp"  // trace_figure, trace_json
#include "fmsb/space/product.hpp"             // product

#include "support/message.hpp"

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {
using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;
constexpr models::wide_resnet_1d_options tiny{.width = 4};
using net = models::wide_resnet_1d<tiny>;
using images = models::wide_resnet_2d<models::wide_resnet_2d_options{.depth = 10}>;
const std::vector<std::size_t> indices{1, 2, 3, 0, 1, 2, 3, 0, 1};
constexpr std::array points{choices::at(1), choices::at(2), choices::at(3), choices::at(0), choices::at(1),
                            choices::at(2), choices::at(3), choices::at(0), choices::at(1)};
}  // namespace

TEST_CASE("a stack shows what the typed network computes") {
  const auto stack = dash::stack_of<net, choices>(indices, "found");
  REQUIRE(stack.layers.size() == 9);
  CHECK(stack.layers[4].name == "block1.conv1");
  CHECK(stack.layers[2].kernel == 5);
  CHECK(stack.layers[2].dilation == 3);
  CHECK(stack.layers[3].in == 4);
  CHECK(stack.layers[3].out == 8);
  CHECK(report::reaches(stack).back().field() == net::with<points>::receptive_field);
  long long parameters = 0;
  for (const auto count : net::with<points>::layers::parameters) parameters += count;
  CHECK(dash::searched_parameters<net, choices>(indices) == parameters);
}

TEST_CASE("a stack of a UNet sees what the typed UNet sees: pooling counts, and the way up") {
  using unet = models::unet_1d<models::unet_1d_options{.width = 4}>;
  using unet_images = models::unet_2d_small<models::unet_2d_options{}>;
  static constexpr auto wide = [] {
    std::array<choices::point_type, 18> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = choices::at(i % choices::size);
    return all;
  }();
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < wide.size(); ++i) chosen.push_back(i % choices::size);
  const auto stack = dash::stack_of<unet, choices>(chosen);
  CHECK(report::reaches(stack).back().field() == unet::with<wide>::receptive_field);
  CHECK(stack.layers[8].step == 16);
  CHECK(stack.layers[8].wider == 8);
  CHECK(stack.layers[10].wider == 16);
  const auto of_images = dash::stack_of<unet_images, choices>(chosen);
  CHECK(report::reaches(of_images).back().field() == unet_images::with<wide>::receptive_field);
  CHECK(of_images.layers[10].wider == 0);  // a transposed convolution sees one position of the lower level
}

TEST_CASE("channels that a type leaves open are taken from the settings") {
  constexpr models::wide_resnet_1d_options left_open{.in = dynamic, .classes = dynamic, .width = 4};
  using open_net = models::wide_resnet_1d<left_open>;
  const models::backbone_settings five{.in = 5};  // as `tiny` has by its type
  CHECK(dash::stack_of<open_net, choices>(indices, "", five).layers[0].in == 5);
  CHECK(report::stack_table(dash::stack_of<open_net, choices>(indices)).rows() == 9);  // shown as a dash
  CHECK(dash::searched_parameters<open_net, choices>(indices, five) ==
        dash::searched_parameters<net, choices>(indices));
  CHECK(dash::header_of<open_net, choices>(indices, "x", {}, five).counts ==
        dash::header_of<net, choices>(indices, "x").counts);
  CHECK(test::message_of<usage_error>([] {
          dash::searched_parameters<open_net, choices>(indices);
        }).find("leaves the channels of block0.conv0 open") != std::string::npos);
}

TEST_CASE("places are named as the tree of children names them") {
  nn::module<images> m;
  const auto names = m->named_parameters().keys();
  for (std::size_t i = 0; i < images::slots.size(); ++i) {
    const auto name = images::place_name(i) + ".weight";
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  std::size_t place = 0;
  m->for_each_searched([&](const models::conv_slot& slot, const auto& conv) {
    CHECK(slot.place == static_cast<index_t>(place));
    CHECK(m->named_parameters()[images::place_name(place) + ".weight"].is_same(conv.weight));
    ++place;
  });
  CHECK(place == images::slots.size());
}

TEST_CASE("a header holds the points, their space and what they cost") {
  const auto header = dash::header_of<net, choices>(indices, "small_net", {"seed 3"});
  CHECK(header.axes == std::vector<std::string>{"kernel", "dilation"});
  CHECK(header.points[2] == std::vector<int>{5, 3});
  const auto text = report::header_text(header);
  CHECK(text.find("std::array<fmsb::space::point<\"kernel\", \"dilation\">, 9> small_net") != text.npos);
  CHECK(text.find("// seed 3") != text.npos);
  CHECK(text.find("product(kernel{3,5},dilation{1,3})") != text.npos);
}

TEST_CASE("a trace becomes a map a place and numbers") {
  const dash::trace trace(9, 4, std::vector<double>(3 * 9 * 4, 0.25));
  const auto figure = dash::trace_figure<net, choices>(trace);
  REQUIRE(figure.panels.size() == 9);
  CHECK(figure.panels[1].title == "block0.conv1");
  CHECK(figure.panels[1].rows == std::vector<std::string>{"k3 d1", "k3 d3", "k5 d1", "k5 d3"});
  CHECK(figure.panels[1].map.values.size() == 4 * 3);
  CHECK(dash::entropy_figure<net>(trace).panels[0].curves.back().y == std::vector<double>{1, 1, 1});
  const auto json = dash::trace_json<net, choices>(trace);
  CHECK(json["places"][8]["shares"][2][3] == 0.25);
  CHECK(json["places"][8]["name"] == "block2.conv2");
}

TEST_CASE("points that are no architecture are refused") {
  CHECK(test::message_of<usage_error>([] {
          dash::stack_of<net, choices>({1, 2});
        }).find("2 points are no architecture of 9 places") != std::string::npos);
  auto beyond = indices;
  beyond[3] = 4;
  CHECK(test::message_of<usage_error>([&] {
          dash::header_of<net, choices>(beyond, "x");
        }).find("point 4 is none of the 4") != std::string::npos);
}
