#include "fmsb/models/chronos_bolt.hpp"  // chronos_bolt
#include "fmsb/nn/check_module.hpp"      // check_module

#include "support/message.hpp"                // message_of
#include "support/one_thread.hpp"             // one_thread
#include "support/stored_gradients.hpp"       // check_stored_gradients
#include "unit/models_bolt/bolt_support.hpp"  // small_bolt, bolt_fixture, series_distance

#include <cmath>    // std::sqrt
#include <limits>   // std::numeric_limits
#include <span>     // std::span
#include <sstream>  // std::ostringstream
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::bolt_fixture, test::distance, test::message_of, test::series_distance, test::small_bolt,
    test::tiny_bolt;

TEST_CASE("Chronos-Bolt's embeddings, quantiles and loss are those of chronos-forecasting") {
  const torch::NoGradGuard no_gradient;
  auto model = small_bolt();
  const auto context = bolt_fixture("context"), target = bolt_fixture("target");
  const auto read = model->encode(context);
  CHECK(distance(read.tokens, bolt_fixture("embeddings")) < 1e-5);
  CHECK(series_distance(read.scale.mean.squeeze(1), bolt_fixture("mean")) < 1e-6);
  CHECK(series_distance(read.scale.deviation.squeeze(1), bolt_fixture("deviation")) < 1e-5);
  CHECK(series_distance(model->forward(context), bolt_fixture("quantiles")) < 1e-5);
  CHECK(distance(model->loss(context, target), bolt_fixture("loss")) < 1e-5);
  CHECK(series_distance(model->predict(context, 5), bolt_fixture("quantiles").narrow(2, 0, 5)) < 1e-5);
}

TEST_CASE("Chronos-Bolt's gradients are those of chronos-forecasting") {
  auto model = small_bolt();
  model->loss(bolt_fixture("context"), bolt_fixture("target")).backward();
  CHECK(test::check_stored_gradients(model, test::bolt_fixtures() / "tiny/expected.safetensors", 2e-5) == 19);
}

TEST_CASE("Chronos-Bolt reads the last context_length values, and series without anything to scale by") {
  const torch::NoGradGuard no_gradient;
  auto model = small_bolt();
  CHECK(series_distance(model->forward(bolt_fixture("long")), bolt_fixture("long_quantiles")) < 1e-5);
  CHECK(series_distance(model->forward(bolt_fixture("odd")), bolt_fixture("odd_quantiles")) < 1e-5);
}

TEST_CASE("Chronos-Bolt with patches that overlap, and without REG, is chronos-forecasting's") {
  const torch::NoGradGuard no_gradient;
  nn::module<models::chronos_bolt<test::overlapping_bolt>> model;
  nn::load_state(model, test::bolt_fixtures() / "overlapping/model.safetensors");
  model->eval();
  const auto given = [](const char* name) { return bolt_fixture(name, "overlapping/expected.safetensors"); };
  CHECK(series_distance(model->forward(given("context")), given("quantiles")) < 1e-5);
}

TEST_CASE("forecasts beyond the prediction length are those of chronos-forecasting's pipeline") {
  auto model = small_bolt();
  std::vector<std::vector<double>> pasts;
  for (int i = 0; i < 3; ++i) {
    const auto x = bolt_fixture("pipeline." + std::to_string(i)).to(at::kDouble).contiguous();
    pasts.emplace_back(x.const_data_ptr<double>(), x.const_data_ptr<double>() + x.numel());
  }
  const std::vector<std::span<const double>> series(pasts.begin(), pasts.end());
  const auto expected = bolt_fixture("pipeline");
  CHECK(series_distance(chronos::forecast_quantiles(*model, series, {.horizon = 31}), expected) < 1e-5);
  // Series by series: the package itself differs by 1.6e-5 then, as three passes hand on their rounding.
  CHECK(series_distance(chronos::forecast_quantiles(*model, series, {.horizon = 31, .series_at_once = 1}),
                        expected) < 5e-5);
  CHECK(series_distance(chronos::forecast_quantiles(*model, series), expected.narrow(2, 0, 12)) < 1e-5);
}

TEST_CASE("a Chronos-Bolt's quantiles move and grow with its series") {
  const torch::NoGradGuard no_gradient;
  auto model = small_bolt();
  model->to(at::kDouble);
  const auto x = bolt_fixture("context").to(at::kDouble), y = bolt_fixture("target").to(at::kDouble);
  CHECK(series_distance(model->forward(30 + 7 * x), 30 + 7 * model->forward(x)) < 1e-9);
  CHECK(distance(model->loss(30 + 7 * x, 30 + 7 * y), model->loss(x, y)) < 1e-9);
  // More gaps in front change nothing.
  const auto gap = at::full({3, 5}, std::numeric_limits<double>::quiet_NaN(), x.options());
  CHECK(series_distance(model->forward(at::cat({gap, x}, 1)), model->forward(x)) < 1e-9);
}

TEST_CASE("the loss leaves out gaps, and what a shorter target does not say") {
  const torch::NoGradGuard no_gradient;
  auto model = small_bolt();
  const auto x = bolt_fixture("context"), y = bolt_fixture("target");
  const auto gap = at::full({3, 3}, std::numeric_limits<double>::quiet_NaN(), y.options());
  CHECK(distance(model->loss(x, at::cat({y, gap}, 1)), model->loss(x, y)) < 1e-6);
  CHECK(model->loss(x, y.narrow(1, 0, 4)).item<double>() < model->loss(x, y).item<double>());
  CHECK(model->loss(x, at::full_like(y, std::numeric_limits<double>::quiet_NaN())).item<double>() == 0);
}

TEST_CASE("the starting values of a Chronos-Bolt are the package's, by the factor of the configuration") {
  torch::manual_seed(4);
  constexpr auto wide = [] {
    auto c = tiny_bolt;
    c.t5.width = 64, c.t5.feed_forward = 96, c.patch = c.stride = 32;
    return c;
  }();
  nn::module<models::chronos_bolt<wide>> model;
  const auto parameters = model->named_parameters();
  const auto deviation = [&](const char* name) { return parameters[name].std().item<double>() / 0.05; };
  const auto near = [](double x) { return doctest::Approx(x).epsilon(0.1); };
  CHECK(deviation("shared.weight") == near(1));
  CHECK(deviation("input_patch_embedding.hidden_layer.weight") == near(1 / 8.0));
  CHECK(deviation("input_patch_embedding.output_layer.weight") == near(1 / std::sqrt(96.0)));
  CHECK(deviation("output_patch_embedding.residual_layer.weight") == near(1 / 8.0));
  CHECK(deviation("output_patch_embedding.output_layer.weight") == near(1 / std::sqrt(96.0)));
  CHECK(deviation("decoder.block.1.layer.0.SelfAttention.v.weight") == near(1 / 8.0));
  for (const auto& item : parameters) {
    if (item.key().ends_with("bias")) CHECK(item->eq(0).all().item<bool>());
    if (item.key().find("norm") != item.key().npos) CHECK(item->eq(0.05F).all().item<bool>());
  }
}

TEST_CASE("a Chronos-Bolt keeps what the library relies on") {
  const test::one_thread quick;
  torch::manual_seed(9);
  const auto report = nn::check_module(small_bolt(), torch::randn({2, 21}));
  std::ostringstream text;
  text << report;
  CAPTURE(text.str());
  CHECK(report.sound());
}

TEST_CASE("dropout makes passes of a Chronos-Bolt differ in training alone") {
  torch::manual_seed(3);
  auto model = small_bolt();
  const auto x = bolt_fixture("context"), y = bolt_fixture("target");
  CHECK(model->loss(x, y).equal(model->loss(x, y)));
  model->train();
  CHECK_FALSE(model->loss(x, y).equal(model->loss(x, y)));
}

TEST_CASE("a Chronos-Bolt says what it was given and what it takes") {
  auto model = small_bolt();
  const auto x = at::ones({3, 20});
  CHECK(message_of<usage_error>([&] { model->forward(x[0]); }) ==
        "fmsb::models::chronos_bolt was given a context of shape [20]; it takes [series, T], at least one "
        "value.");
  CHECK(message_of<usage_error>([&] { model->predict(x, 13); }) ==
        "fmsb::models::chronos_bolt::predict was asked for 13 steps; one pass predicts 1 to 12, "
        "chronos::forecast_quantiles any number.");
  CHECK(message_of<usage_error>([&] {
          model->loss(x, at::ones({3, 13}));
        }) ==
        "fmsb::models::chronos_bolt::loss was given a context of shape [3, 20] and a target of shape [3, "
        "13]; a "
        "target is [series, steps], 1 to 12 steps of the same series.");
  CHECK_THROWS_AS(model->loss(x, at::ones({2, 5})), usage_error);
}
