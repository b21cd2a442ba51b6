#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/models/unet_1d.hpp"         // unet_1d
#include "fmsb/models/wide_resnet_1d.hpp"  // wide_resnet_1d
#include "fmsb/nn/check_module.hpp"        // check_module
#include "fmsb/nn/state_dict.hpp"          // load_state_dict
#include "fmsb/search/dash/mixed.hpp"      // mixed
#include "fmsb/space/product.hpp"          // product

#include "backbone_support.hpp"
#include "support/distance.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"

#include <array>    // std::array
#include <sstream>  // std::ostringstream

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;
constexpr models::wide_resnet_1d_options small{.classes = 3, .width = 4, .segments = 2};
constexpr std::array points{choices::at(1), choices::at(2), choices::at(3), choices::at(0), choices::at(1),
                            choices::at(2), choices::at(3), choices::at(0), choices::at(1)};
const std::vector<std::size_t> indices{1, 2, 3, 0, 1, 2, 3, 0, 1};

using plain = models::wide_resnet_1d<small>;
using supernet = models::wide_resnet_1d<small, dash::mixed<choices>>;
using dense_supernet =
    models::wide_resnet_1d<small, dash::mixed<choices, dash::mixed_options{.channels = dash::joined::all}>>;
using typed = models::wide_resnet_1d<small, points>;
using at_run_time = models::wide_resnet_1d<small, models::points_at_run_time<choices>>;

// The counts of the definition: nine layers, kernels 9, 5 and 3 in each block, channels m, 2m and 2m.
static_assert(plain::slots.size() == 9);
static_assert(plain::layers::fields == std::array<index_t, 9>{9, 5, 3, 9, 5, 3, 9, 5, 3});
static_assert(plain::receptive_field == 1 + 3 * (8 + 4 + 2));
static_assert(plain::layers::parameters[0] == 5 * 4 * 9 + 4);
static_assert(plain::layers::parameters[8] == 8 * 8 * 3 + 8);
static_assert(supernet::layers::parameters[0] == space::mixed_parameters<choices>(5, 4));
static_assert(supernet::layers::parameters[1] == space::mixed_parameters<choices>(4, 4, 4));  // depthwise
static_assert(dense_supernet::layers::parameters[1] == space::mixed_parameters<choices>(4, 4));
static_assert(supernet::layers::fields[0] == 13);
static_assert(typed::receptive_field == space::receptive_field(points));
static_assert(typed::layers::parameters[1] == space::parameters(choices::at(2), 4, 4));
static_assert(at_run_time::receptive_field == dynamic && at_run_time::parameter_count == dynamic);
static_assert(std::is_same_v<supernet::with<points>, typed>);
static_assert(std::is_same_v<supernet::space_type, choices> && std::is_void_v<plain::space_type>);

using unet = models::unet_1d<models::unet_1d_options{.width = 4}>;
static_assert(unet::slots.size() == 18);

}  // namespace

TEST_CASE("channels and classes come from the examples, and rows of numbers are refused") {
  const data::labelled_set series("ecg", {2, 4}, std::vector<float>(24), {0, 2, 1}, {"a", "b", "c"});
  const auto given = models::settings_for(series);
  CHECK(given.in == 2);
  CHECK(given.classes == 3);
  constexpr models::wide_resnet_1d_options open{.in = dynamic, .classes = dynamic, .width = 4};
  nn::module<models::wide_resnet_1d<open>> net(given);
  CHECK(net->forward(torch::randn({3, 2, 4})).sizes() == at::IntArrayRef{3, 3});
  const data::labelled_set rows("table.csv", {4}, std::vector<float>(4), {0}, {"a"});
  CHECK(test::says(test::message_of<usage_error>([&] { models::settings_for(rows); }),
                   {"table.csv holds rows of numbers"}));
}

TEST_CASE("sequence backbones keep the rules of layers, whatever stands in their places") {
  torch::manual_seed(1);
  const auto x = torch::randn({3, 5, 24});
  const auto sound = [&](const auto& m) {
    // Kinks of the maxima and of relu stand everywhere; a wider step would cross them.
    const auto report = nn::check_module(m, nn::check_options{.tolerance = 1e-3, .step = 1e-6}, x);
    std::ostringstream text;
    text << report;
    INFO(text.str());
    CHECK(report.sound());
  };
  sound(nn::module<plain>());
  sound(nn::module<supernet>());
  sound(nn::module<typed>());
  sound(nn::module<at_run_time>(indices));
  sound(nn::module<unet>());
}

TEST_CASE("points of a type and points at run time are one network") {
  torch::manual_seed(4);
  nn::module<typed> one;
  torch::manual_seed(4);
  nn::module<at_run_time> other(indices);
  const auto x = torch::randn({3, 5, 40});
  CHECK(one->describe() == other->describe());
  CHECK(test::distance(one->forward(x), other->forward(x)) == 0);
}

TEST_CASE("a checkpoint that was trained with points at run time loads into the typed network") {
  const test::temporary_folder folder;
  const auto file = (folder.path / "net.pt").string();
  nn::module<at_run_time> trained(indices);
  const auto x = torch::randn({3, 5, 40});
  for (int i = 0; i < 3; ++i) trained->forward(x);  // batch norms learn, too
  torch::save(trained, file);
  nn::module<typed> loaded;
  torch::load(loaded, file);
  trained->eval();
  loaded->eval();
  CHECK(test::distance(loaded->forward(x), trained->forward(x)) == 0);

  auto others = indices;
  others[4] = 2;
  nn::module<at_run_time> different(others);
  CHECK_THROWS_AS(torch::load(different, file), data_error);
}

TEST_CASE("the receptive field is what the gradient reaches") {
  torch::manual_seed(5);
  nn::module<typed> net;
  net->eval();
  net->to(torch::kDouble);
  const auto x = torch::randn({1, 5, 160}, torch::kDouble);
  const auto seen = test::seen_positions(x, [&](const tensor& leaf) {
    auto y = net->at<"block0">().forward(leaf);
    return net->at<"block2">().forward(net->at<"block1">().forward(y));
  });
  CHECK(seen <= typed::receptive_field);
  CHECK(seen > typed::receptive_field * 3 / 4);  // relu closes some paths
}

TEST_CASE("the released network looks back only, and its third block has no way around it") {
  constexpr auto old = models::released(small);
  using causal = models::wide_resnet_1d<old, points>;
  torch::manual_seed(6);
  nn::module<causal> net;
  net->eval();
  const auto x = torch::randn({1, 5, 60});
  const auto features = [&](const tensor& input) {
    return net->at<"block1">().forward(net->at<"block0">().forward(input));
  };
  auto changed = x.clone();
  changed.slice(2, 30) += 1;
  const auto a = features(x), b = features(changed);
  CHECK(test::distance(a.slice(2, 0, 30), b.slice(2, 0, 30)) < 1e-5);
  CHECK(test::distance(a.slice(2, 30), b.slice(2, 30)) > 1e-2);

  auto& last = net->at<"block2">();
  {
    const torch::NoGradGuard no_gradient;
    last.at<"norm2">().weight.zero_();
  }
  CHECK(last.forward(features(x)).abs().max().item<double>() == 0);
}

TEST_CASE("a forecast has the horizon's steps") {
  constexpr models::wide_resnet_1d_options series{.in = 1, .width = 4, .length = 48, .horizon = 7};
  nn::module<models::wide_resnet_1d<series>> net;
  CHECK(net->forward(torch::randn({2, 1, 48})).sizes() == at::IntArrayRef({2, 7}));
}

TEST_CASE("multiplications are those of the convolutions, norms and head") {
  // Block by block: convolutions at every position, batch norms a channel each, shortcuts, the head once.
  index_t each = 0;
  for (const auto& slot : plain::slots) each += slot.in * slot.out * slot.kernel + slot.out;
  each += 5 * 4 + 4 + 4 * 8 + 8;
  CHECK(plain::multiply_adds_for(100) == 100 * each + 2 * 8 * 2 * 3);
}

TEST_CASE("points at run time are one for each place") {
  CHECK(test::message_of<usage_error>([] {
          nn::module<at_run_time>(std::vector<std::size_t>(8, 0));
        }).find("8 points were given for its 9 searched convolutions") != std::string::npos);
}

TEST_CASE("a UNet of any length answers, and says when there are too few positions") {
  nn::module<unet> net;
  net->eval();
  for (const index_t length : {16, 17, 31, 50})
    CHECK(net->forward(torch::randn({2, 5, length})).sizes() == at::IntArrayRef({2, 2}));
  CHECK(test::message_of<usage_error>([&] {
          net->forward(torch::randn({2, 5, 15}));
        }).find("at least 16 positions") != std::string::npos);
}

TEST_CASE("channels and classes may be told when the network is built") {
  constexpr models::wide_resnet_1d_options any{.in = dynamic, .classes = dynamic, .width = 4, .segments = 2};
  using told = models::wide_resnet_1d<any, points>;
  static_assert(told::parameter_count == dynamic && told::receptive_field == typed::receptive_field);
  torch::manual_seed(4);
  nn::module<typed> fixed;
  torch::manual_seed(4);
  nn::module<told> free(models::backbone_settings{.in = 5, .classes = 3});
  const auto x = torch::randn({3, 5, 40});
  CHECK(fixed->describe() == free->describe());
  CHECK(test::distance(fixed->forward(x), free->forward(x)) == 0);
  CHECK(test::message_of<usage_error>([] {
          nn::module<typed>(models::backbone_settings{.in = 4});
        }).find("in") != std::string::npos);
  nn::module<models::unet_1d<models::unet_1d_options{.in = dynamic, .classes = dynamic, .width = 4}>> deep(
      models::backbone_settings{.in = 2, .classes = 4});
  CHECK(deep->forward(torch::randn({2, 2, 20})).sizes() == at::IntArrayRef({2, 4}));
}
