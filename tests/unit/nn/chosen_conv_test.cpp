#include "fmsb/nn/chosen_conv.hpp"  // chosen_conv

#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/nn/check_module.hpp"   // check_module
#include "fmsb/nn/doubling_conv.hpp"  // doubling_conv
#include "fmsb/space/product.hpp"     // product

#include "support/distance.hpp"
#include "support/message.hpp"

#include <cstddef>  // std::size_t
#include <sstream>  // std::ostringstream

#include "support/doctest.hpp"

using namespace fmsb;

namespace {
using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;

/// A chosen convolution draws, computes and describes what the one whose type fixes the point does.
template <int Axes, nn::conv_at_options Options>
void is_that_of_the_type(const tensor& x) {
  for (std::size_t i = 0; i < choices::size; ++i) {
    torch::manual_seed(5);
    nn::module<nn::chosen_conv<Axes, choices, 4, 4, Options>> chosen(i);
    torch::manual_seed(5);
    const auto [wanted, text] = dispatch<choices::size>(i, [&](auto index) {
      nn::module<nn::conv_at<Axes, choices::at(index()), 4, 4, Options>> typed;
      return std::pair<tensor, std::string>(typed->forward(x), typed->describe());
    });
    CHECK(test::distance(chosen->forward(x), wanted) == 0);
    CHECK(chosen->describe() == text);
    CHECK(chosen->field() == space::receptive_field(choices::at(i)));
  }
}
}  // namespace

TEST_CASE("a chosen convolution is the one of its point") {
  torch::manual_seed(1);
  is_that_of_the_type<1, nn::conv_at_options{}>(torch::randn({2, 4, 19}));
  is_that_of_the_type<1, nn::conv_at_options{.groups = nn::depthwise, .bias = nn::bias_term::no}>(
      torch::randn({2, 4, 19}));
  is_that_of_the_type<2, nn::conv_at_options{.stride = 2}>(torch::randn({2, 4, 9, 10}));
}

TEST_CASE("a chosen convolution keeps the rules of layers") {
  torch::manual_seed(2);
  const auto report = nn::check_module(nn::module<nn::chosen_conv<1, choices, 3, 5>>(std::size_t{2}),
                                       nn::check_options{}, torch::randn({2, 3, 17}));
  std::ostringstream text;
  text << report;
  INFO(text.str());
  CHECK(report.sound());
}

TEST_CASE("a clone of a chosen convolution shares nothing with it") {
  nn::module<nn::chosen_conv<1, choices, 3, 3>> original(std::size_t{1});
  using held = nn::concrete<nn::chosen_conv<1, choices, 3, 3>>;
  const auto copy = std::dynamic_pointer_cast<held>(original->clone());
  const auto x = torch::randn({1, 3, 8});
  const auto before = copy->forward(x);
  {
    const torch::NoGradGuard no_gradient;
    original->weight.zero_();
  }
  CHECK(test::distance(copy->forward(x), before) == 0);
}

TEST_CASE("a point that the space does not have is refused") {
  using layer = nn::chosen_conv<1, choices, 3, 3>;
  const auto said = test::message_of<usage_error>([] { nn::module<layer>(std::size_t{4}); });
  CHECK(said.find("point 4 of a space of 4 points") != said.npos);
}

TEST_CASE("a doubling convolution is LibTorch's transposed one and keeps the rules of layers") {
  torch::manual_seed(3);
  nn::module<nn::doubling_conv<2, 3, 2>> up;
  CHECK(up->forward(torch::randn({1, 3, 4, 5})).sizes() == at::IntArrayRef({1, 2, 8, 10}));
  CHECK(nn::check_module(up, torch::randn({2, 3, 4, 5})).sound());
  CHECK(nn::check_module(nn::module<nn::doubling_conv<1, 2, 3>>(), torch::randn({2, 2, 5})).sound());
  CHECK(test::message_of<usage_error>([&] {
          up->forward(torch::randn({1, 2, 4, 5}));
        }).find("it takes [batch, 3, height, width]") != std::string::npos);
}
