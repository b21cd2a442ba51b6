#include "fmsb/models/chronos2.hpp"  // chronos2

#include "fmsb/nn/check_module.hpp"  // check_module
#include "fmsb/nn/tree.hpp"          // count_parameters

#include "support/message.hpp"  // message_of
#include "support/property.hpp"
#include "support/stored_gradients.hpp"               // check_stored_gradients
#include "unit/models_chronos2/chronos2_support.hpp"  // tiny_chronos2, chronos2_fixture, chronos2_distance

#include <ATen/ops/randn.h>     // at::randn
#include <ATen/ops/randperm.h>  // at::randperm

#include <cmath>    // std::sqrt
#include <limits>   // std::numeric_limits
#include <sstream>  // std::ostringstream
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using test::chronos2_distance, test::chronos2_fixture, test::tiny_chronos2, test::tiny_chronos2_config;

static_assert(chronos::quantile_model<models::chronos2<tiny_chronos2_config>>);

namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();
constexpr index_t steps = 12;

/// What the fixtures were computed from.
struct given {
  tensor context = chronos2_fixture("context"), target = chronos2_fixture("target");
  models::chronos2_inputs grouped{.groups = chronos2_fixture("groups")};
  models::chronos2_inputs informed{.groups = chronos2_fixture("groups"),
                                   .known = chronos2_fixture("covariates")};
};

/// A Chronos-2 whose forward sees the series of a batch as one group, with a known future for the last.
class grouped_chronos2 : public models::chronos2<tiny_chronos2_config> {
 public:
  tensor forward(const tensor& context, const tensor& known) const {
    return this->predict(context, known.size(1),
                         {.groups = at::zeros({context.size(0)}, at::kLong), .known = known});
  }
};

template <class Call>
std::string complaint(Call&& call) {
  return test::message_of<usage_error>(call);
}

}  // namespace

TEST_CASE(
    "Chronos-2's quantiles are those of chronos-forecasting: alone, in groups, and with a known future") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  CHECK(chronos2_distance(model->predict(g.context, steps), chronos2_fixture("alone")) < 1e-5);
  CHECK(chronos2_distance(model->predict(g.context, steps, g.grouped), chronos2_fixture("grouped")) < 1e-5);
  CHECK(chronos2_distance(model->predict(g.context, steps, g.informed), chronos2_fixture("informed")) < 1e-5);
  // Contexts that are no multiple of a patch, and horizons of one patch and of several.
  const auto brief = chronos2_fixture("brief");
  CHECK(chronos2_distance(model->forward(brief), chronos2_fixture("brief_1")) < 1e-5);
  CHECK(chronos2_distance(model->predict(brief, 9), chronos2_fixture("brief_3").narrow(2, 0, 9)) < 1e-5);
}

TEST_CASE("a gradient on the way changes no quantile") {
  auto model = tiny_chronos2();
  const given g;
  CHECK(chronos2_distance(model->predict(g.context, steps).detach(), chronos2_fixture("alone")) < 1e-5);
}

TEST_CASE("Chronos-2's hidden states are those of chronos-forecasting wherever something is seen") {
  const torch::NoGradGuard no_gradient;
  const given g;
  const auto own = tiny_chronos2()->encode(g.context, steps, g.grouped);
  const auto theirs = chronos2_fixture("encoded");
  REQUIRE(own.sizes() == theirs.sizes());
  const auto seen = g.context.narrow(1, 10, 40).isnan().logical_not().view({7, 10, 4}).any(2);
  CHECK(seen.logical_not().sum().item<index_t>() == 10 + 6 + 2);  // the empty one, the short one, the gap
  CHECK(chronos2_distance(own.narrow(1, 10, 4), theirs.narrow(1, 10, 4)) < 1e-5);
  CHECK((own.narrow(1, 0, 10) - theirs.narrow(1, 0, 10)).index({seen}).abs().max().item<double>() < 1e-5);
}

TEST_CASE("Chronos-2's loss and gradients are those of chronos-forecasting") {
  auto model = tiny_chronos2();
  const given g;
  CHECK(chronos2_distance(model->loss(g.context, g.target, g.grouped).detach(), chronos2_fixture("loss")) <
        1e-5);
  const auto loss = model->loss(g.context, g.target, g.informed);
  CHECK(chronos2_distance(loss.detach(), chronos2_fixture("loss_informed")) < 1e-5);
  loss.backward();
  CHECK(test::check_stored_gradients(model, test::chronos2_fixtures() / "tiny/expected.safetensors", 1e-5) ==
        19);
}

TEST_CASE("series in the same group see each other, and none else") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  const auto before = model->predict(g.context, steps, g.grouped);
  auto other = g.context.clone();
  other.select(0, 2) = at::randn({50});  // of the group of 0 and 6
  const auto after = model->predict(other, steps, g.grouped);
  for (index_t i = 0; i < 7; ++i) {
    CAPTURE(i);
    const double moved = chronos2_distance(after.narrow(0, i, 1), before.narrow(0, i, 1));
    CHECK((moved > 1e-3) == (i == 0 || i == 2 || i == 6));
  }
}

TEST_CASE("neither the order of the series nor the names of the groups matter") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  CHECK(test::holds("order and names", [&] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const auto order = at::randperm(7, at::kLong), names = at::randperm(10, at::kLong) * 12345 - 5;
    const models::chronos2_inputs moved{
        .groups = names.index_select(0, g.informed.groups).index_select(0, order),
        .known = g.informed.known.index_select(0, order)};
    RC_ASSERT(chronos2_distance(model->predict(g.context.index_select(0, order), steps, moved),
                                chronos2_fixture("informed").index_select(0, order)) < 1e-5);
  }));
  // Groups of one are no groups.
  CHECK(model->predict(g.context, steps, {.groups = at::arange(7, at::kLong)})
            .equal(model->predict(g.context, steps)));
}

TEST_CASE("a forecast is in the units of its series, and gaps in front of it tell nothing") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  CHECK(test::holds("units and gaps in front", [&] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    const auto length = *rc::gen::inRange<index_t>(2, 30), more = *rc::gen::inRange<index_t>(0, 10);
    const double scale = *rc::gen::inRange(1, 1000) * .01, shift = *rc::gen::inRange(-50, 50) * .1;
    const auto x = at::randn({3, length});
    const auto y = model->predict(x, steps);
    RC_ASSERT((model->predict(x * scale + shift, steps) - (y * scale + shift)).abs().max().item<double>() <
              1e-3 * (scale + std::abs(shift)));
    const auto padded = at::cat({at::full({3, more}, gap), x}, 1);
    RC_ASSERT(chronos2_distance(model->predict(padded, steps), y) < 1e-4);
  }));
}

TEST_CASE("what is known of a series' future shows in its group, and costs it its loss") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  auto none = g.informed;
  none.known = at::full({7, 5}, gap);
  CHECK(model->predict(g.context, steps, none).equal(model->predict(g.context, steps, g.grouped)));
  // Only what is not known counts.
  auto all = g.informed;
  all.known = g.target;
  CHECK(model->loss(g.context, g.target, all).item<double>() == 0);
  // A target that ends within a patch counts as zero from there on.
  const auto whole = at::cat({g.target, at::full({7, 2}, gap)}, 1);
  CHECK(model->loss(g.context, g.target, g.grouped).equal(model->loss(g.context, whole, g.grouped)));
}

TEST_CASE("only the last context_length values are read") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  CHECK(model->predict(g.context.narrow(1, 10, 40), steps).equal(model->predict(g.context, steps)));
}

TEST_CASE("a series of gaps has a forecast, and so has a model in bfloat16") {
  const torch::NoGradGuard no_gradient;
  auto model = tiny_chronos2();
  const given g;
  CHECK(model->predict(at::full({2, 9}, gap), steps).isfinite().all().item<bool>());
  const auto y = model->predict(g.context, steps, g.informed);
  model->to(at::kBFloat16);
  const auto rough = model->predict(g.context, steps, g.informed);
  CHECK((rough.scalar_type() == at::kFloat));
  CHECK(chronos2_distance(rough, y) < 0.3);  // eight bits, through sinh
}

TEST_CASE("Chronos-2's starting values are its program's, by the factor of the configuration") {
  torch::manual_seed(4);
  constexpr models::chronos2_config wide{
      .width = 64, .feed_forward = 96, .key_width = 24, .heads = 4, .layers = 2, .quantiles = {.1, .5, .9}};
  nn::module<models::chronos2<wide>> model;
  const auto parameters = model->named_parameters();
  const auto deviation = [&](const char* name) { return parameters[name].std().item<double>() / 0.05; };
  const auto near = [](double x) { return doctest::Approx(x).epsilon(0.1); };
  CHECK(deviation("shared.weight") == doctest::Approx(1).epsilon(0.3));
  for (const char* layer : {"0", "1"}) {
    const auto of = [&](const char* part) {
      return deviation(
          ("encoder.block.1.layer." + std::string(layer) + ".self_attention." + part + ".weight").c_str());
    };
    CHECK(of("q") == near(1 / std::sqrt(64.0 * 24)));
    CHECK(of("k") == near(1 / 8.0));
    CHECK(of("v") == near(1 / 8.0));
    CHECK(of("o") == near(1 / std::sqrt(96.0)));
  }
  CHECK(deviation("encoder.block.0.layer.2.mlp.wi.weight") == near(1 / 8.0));
  CHECK(deviation("encoder.block.0.layer.2.mlp.wo.weight") == near(1 / std::sqrt(96.0)));
  CHECK(deviation("input_patch_embedding.hidden_layer.weight") == near(1 / std::sqrt(48.0)));
  CHECK(deviation("input_patch_embedding.residual_layer.weight") == near(1 / std::sqrt(48.0)));
  CHECK(deviation("output_patch_embedding.hidden_layer.weight") == near(1 / 8.0));
  CHECK(deviation("output_patch_embedding.residual_layer.weight") == near(1 / 8.0));
  CHECK(deviation("output_patch_embedding.output_layer.weight") == near(1 / std::sqrt(96.0)));
  for (const auto& item : parameters) {
    CAPTURE(item.key());
    if (item.key().find("norm") != item.key().npos) CHECK(item->eq(0.05F).all().item<bool>());
    if (item.key().ends_with("bias")) CHECK(item->eq(0).all().item<bool>());
  }
}

TEST_CASE("a Chronos-2 keeps what the library relies on, alone and in groups") {
  torch::manual_seed(9);
  auto context = at::randn({3, 15});
  std::ostringstream text;
  const auto alone = nn::check_module(tiny_chronos2(), context);
  nn::module<grouped_chronos2> together;
  nn::load_state(together, test::chronos2_fixtures() / "tiny/model.safetensors");
  const auto grouped = nn::check_module(together, context, at::randn({3, 7}));
  text << alone << "\n" << grouped;
  CAPTURE(text.str());
  CHECK(alone.sound());
  CHECK(grouped.sound());
}

TEST_CASE("dropout makes passes of Chronos-2 differ in training alone") {
  torch::manual_seed(3);
  auto model = tiny_chronos2();
  const given g;
  CHECK(model->loss(g.context, g.target).equal(model->loss(g.context, g.target)));
  model->train();
  CHECK_FALSE(model->loss(g.context, g.target).equal(model->loss(g.context, g.target)));
}

TEST_CASE("a Chronos-2 tells its numbers' meaning") {
  const auto text = tiny_chronos2()->describe();
  CHECK(
      text.starts_with("chronos2(context_length=40, patch=4, time_scale=64, levels=11 from 0.05 to 0.95){"));
  CHECK(text.find("rotary(base=100)") != text.npos);
}

TEST_CASE("a Chronos-2 says what it was given and what it takes") {
  auto model = tiny_chronos2();
  const given g;
  CHECK(complaint([&] { model->predict(g.context[0], 4); }) ==
        "fmsb::models::chronos2 was given a context of shape [50] and type Float; it takes floating-point "
        "numbers "
        "[batch, T], NaN where there is a gap.");
  CHECK(complaint([&] { model->predict(g.context.narrow(1, 0, 0), 4); }).find("shape [7, 0]") !=
        std::string::npos);
  CHECK(complaint([&] {
          model->predict(at::ones({2, 3}, at::kLong), 4);
        }).find("type Long") != std::string::npos);
  CHECK(complaint([&] { model->predict(g.context, 0); }) ==
        "fmsb::models::chronos2 was asked for 0 steps; ask for at least 1.");
  CHECK(complaint([&] { model->predict(g.context, 8, g.informed); }) ==
        "fmsb::models::chronos2 was given known values of shape [7, 10]; it takes [7, up to 8], NaN where "
        "nothing is "
        "known.");
  CHECK(complaint([&] { model->predict(g.context, 4, {.groups = at::zeros({6}, at::kLong)}); }) ==
        "fmsb::models::chronos2 was given groups of shape [6] and type Long; it takes one integer for each "
        "of the 7 "
        "series, equal for those that belong together.");
  CHECK(complaint([&] { model->predict(g.context, 4, {.groups = at::zeros({7})}); }).find("type Float") !=
        std::string::npos);
  CHECK(complaint([&] { model->loss(g.context, g.target[0]); }) ==
        "fmsb::models::chronos2::loss was given a context of shape [7, 50] and a target of shape [10]; it "
        "takes [batch, "
        "T] and [batch, steps].");
}
