#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/models/unet_2d.hpp"         // unet_2d, unet_2d_small
#include "fmsb/models/wide_resnet_2d.hpp"  // wide_resnet_2d
#include "fmsb/nn/check_module.hpp"        // check_module
#include "fmsb/search/dash/mixed.hpp"      // mixed
#include "fmsb/space/product.hpp"          // product

#include "backbone_support.hpp"
#include "support/distance.hpp"
#include "support/message.hpp"

#include <array>    // std::array
#include <sstream>  // std::ostringstream

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;
constexpr models::wide_resnet_2d_options small{.in = 2, .classes = 3, .depth = 10};
using plain = models::wide_resnet_2d<small>;
using supernet = models::wide_resnet_2d<small, dash::mixed<choices>>;
using at_run_time = models::wide_resnet_2d<small, models::points_at_run_time<choices>>;

// 6n + 1 searched layers; strides 1, 2, 2; 16w, 32w and 64w channels.
static_assert(models::wide_resnet_2d<models::wide_resnet_2d_options{.depth = 16}>::slots.size() == 13);
static_assert(models::wide_resnet_2d<models::wide_resnet_2d_options{.depth = 22}>::slots.size() == 19);
static_assert(plain::slots[4].stride == 2 && plain::slots[4].out == 32 && plain::slots[3].stride == 1);
static_assert(plain::receptive_field == 1 + 2 * (1 + 1 + 1 + 1 + 1 + 2 + 2));
// Zagoruyko's WRN-16-4, 2.75 million parameters with their head for ten classes and without biases of
// convolutions; ours have those.
constexpr models::wide_resnet_2d_options wrn_16_4{.widen = 4};
static_assert(models::wide_resnet_2d<wrn_16_4>::parameter_count > 2'740'000);
static_assert(models::wide_resnet_2d<wrn_16_4>::parameter_count < 2'755'000);

// The 31 million of the original UNet: 31,037,698 without biases in front of batch norms and with a head of
// 64 * 2 + 2 numbers; 5,888 biases and another head here.
using unet = models::unet_2d<models::unet_2d_options{}>;
static_assert(unet::parameter_count ==
              31'037'698 - 130 + 5'888 + (64 * 256 + 256) + 2 * 256 + (256 * 10 + 10));
using small_unet = models::unet_2d_small<models::unet_2d_options{.in = 1}>;

}  // namespace

TEST_CASE("image backbones keep the rules of layers, whatever stands in their places") {
  torch::manual_seed(1);
  const auto x = torch::randn({2, 2, 9, 12});
  const auto sound = [](const auto& m, const tensor& input) {
    const auto report = nn::check_module(m, nn::check_options{.tolerance = 1e-3, .step = 1e-6}, input);
    std::ostringstream text;
    text << report;
    INFO(text.str());
    CHECK(report.sound());
  };
  sound(nn::module<plain>(), x);
  sound(nn::module<supernet>(), x);
  sound(nn::module<at_run_time>(test::spread_points(7, 4)), x);
  sound(nn::module<small_unet>(), torch::randn({2, 1, 17, 20}));
}

TEST_CASE("points of a type and points at run time are one image network") {
  constexpr std::array points{choices::at(1), choices::at(2), choices::at(3), choices::at(0),
                              choices::at(1), choices::at(2), choices::at(3)};
  torch::manual_seed(4);
  nn::module<models::wide_resnet_2d<small, points>> one;
  torch::manual_seed(4);
  nn::module<at_run_time> other(std::vector<std::size_t>{1, 2, 3, 0, 1, 2, 3});
  const auto x = torch::randn({2, 2, 16, 16});
  CHECK(one->describe() == other->describe());
  CHECK(test::distance(one->forward(x), other->forward(x)) == 0);
}

TEST_CASE("the halves of an image are those that multiplications are counted for") {
  nn::module<plain> net;
  // Once by the constants, once by what the features are.
  const index_t height = 9, width = 12;
  index_t sum = 64 * 3;
  auto x = torch::randn({1, 2, height, width});
  net->for_each_searched([&](const models::conv_slot& slot, const auto& conv) {
    const auto y = conv.forward(torch::randn({1, slot.in, x.size(2), x.size(3)}));
    sum += slot.in * slot.out * 9 * y.size(2) * y.size(3);
    x = y;
  });
  sum += 16 * 32 * 5 * 6 + 32 * 64 * 3 * 3;  // the two ways around
  CHECK(plain::multiply_adds_for(height, width) == sum);
}

TEST_CASE("convolutions of a wide residual network are drawn by Glorot's rule, mixtures are not") {
  nn::module<plain> net;
  net->for_each_searched([](const models::conv_slot& slot, const auto& conv) {
    const double bound = std::sqrt(2.0) * std::sqrt(6.0 / static_cast<double>((slot.in + slot.out) * 9));
    CHECK(conv.weight.abs().max().template item<double>() <= bound);
    CHECK(conv.weight.abs().max().template item<double>() > 0.9 * bound);
    CHECK(conv.bias.abs().max().template item<double>() == 0);
  });
  nn::module<supernet> mixtures;
  mixtures->for_each_searched([](const models::conv_slot&, const auto& conv) {
    CHECK(conv.weight.std().template item<double>() == doctest::Approx(0.01).epsilon(0.2));
  });
}

TEST_CASE("a UNet of any size answers, and says when it is too small") {
  nn::module<small_unet> net;
  net->eval();
  CHECK(net->forward(torch::randn({2, 1, 16, 16})).sizes() == at::IntArrayRef({2, 10}));
  CHECK(net->forward(torch::randn({1, 1, 28, 37})).sizes() == at::IntArrayRef({1, 10}));
  CHECK(test::message_of<usage_error>([&] {
          net->forward(torch::randn({2, 1, 15, 28}));
        }).find("at least 16 x 16 positions") != std::string::npos);
}

TEST_CASE("channels and classes may be told when an image network is built") {
  constexpr models::wide_resnet_2d_options any{.in = dynamic, .classes = dynamic, .depth = 10};
  nn::module<models::wide_resnet_2d<any, models::points_at_run_time<choices>>> net(
      test::spread_points(7, 4), models::backbone_settings{.in = 6, .classes = 3, .dropout = 0.1});
  CHECK(net->forward(torch::randn({2, 6, 12, 12})).sizes() == at::IntArrayRef({2, 3}));
  constexpr models::unet_2d_options deep{.in = dynamic, .classes = dynamic};
  nn::module<models::unet_2d_small<deep>> unet(models::backbone_settings{.in = 2, .classes = 5});
  CHECK(unet->forward(torch::randn({2, 2, 16, 16})).sizes() == at::IntArrayRef({2, 5}));
}
