#include "fmsb/adapt/beft.hpp"                   // beft
#include "fmsb/adapt/bitfit.hpp"                 // bitfit
#include "fmsb/adapt/fourier_ft.hpp"             // fourier_ft
#include "fmsb/adapt/groups.hpp"                 // groups
#include "fmsb/adapt/lora.hpp"                   // lora
#include "fmsb/adapt/merge.hpp"                  // merge
#include "fmsb/adapt/norm_tuning.hpp"            // norm_tuning
#include "fmsb/adapt/peft_files.hpp"             // load_peft, save_peft
#include "fmsb/models/chronos2/config_file.hpp"  // load_chronos2
#include "fmsb/nn/check_module.hpp"              // check_module

#include "support/data.hpp"                           // data_file, skip
#include "unit/models_chronos2/chronos2_support.hpp"  // tiny_chronos2_config, chronos2_fixture, chronos2_distance

#include <ATen/ops/randn.h>     // at::randn
#include <torch/optim/adamw.h>  // torch::optim::AdamW

#include <memory>   // std::dynamic_pointer_cast
#include <sstream>  // std::ostringstream
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;
using test::chronos2_distance, test::chronos2_fixture, test::tiny_chronos2_config;

namespace {

/// The targets of the published recipe.
using lora = plan<rule<names<"self_attention.q", "self_attention.k", "self_attention.v", "self_attention.o",
                             "output_patch_embedding.output_layer">,
                       adapt::lora<8, adapt::lora_options{.alpha = 16}>>>;
using mixed = plan<rule<names<"layer.0.self_attention.q", "v">, adapt::fourier_ft<7>, adapt::beft>,
                   rule<names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>,
                   rule<names<"input_patch_embedding.*">, adapt::bitfit>, rule<names<"wo">, adapt::full>,
                   rule<names<"shared">, adapt::lora<2>>>;

template <class Plan>
nn::module<models::chronos2<tiny_chronos2_config, Plan>> adapted_chronos2() {
  return models::load_chronos2<tiny_chronos2_config, Plan>(test::chronos2_fixtures() / "tiny");
}

/// Every trainable number moved: adapters start as nothing.
void stir(torch::nn::Module& m) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_gradient;
  for (auto& p : m.parameters())
    if (p.requires_grad()) p.add_(torch::randn_like(p), 0.05);
}

template <class Model>
tensor quantiles_of(const Model& model) {
  const torch::NoGradGuard no_gradient;
  return model->predict(chronos2_fixture("context"), 12,
                        {.groups = chronos2_fixture("groups"), .known = chronos2_fixture("covariates")});
}

}  // namespace

TEST_CASE(
    "a LoRA adapter of the published recipe that peft wrote gives peft's quantiles, adapted and merged") {
  auto model = adapted_chronos2<lora>();
  CHECK(chronos2_distance(quantiles_of(model), chronos2_fixture("informed")) < 1e-5);
  adapt::load_peft(model, test::chronos2_fixtures() / "tiny/lora");
  CHECK(chronos2_distance(quantiles_of(model), chronos2_fixture("adapted", "tiny/adapted.safetensors")) <
        1e-5);
  CHECK(chronos2_distance(quantiles_of(model), chronos2_fixture("informed")) > 1e-2);
  const auto merged = adapt::merge(model);
  static_assert(std::same_as<std::remove_cvref_t<decltype(merged)>,
                             nn::module<models::chronos2<tiny_chronos2_config>>>);
  CHECK(chronos2_distance(quantiles_of(merged), chronos2_fixture("merged", "tiny/adapted.safetensors")) <
        1e-5);
}

TEST_CASE("the checkpoint of chronos-forecasting's tests and its LoRA adapter give the program's quantiles") {
  const auto found = test::data_file("../reference/chronos/dummy-chronos2/model.safetensors");
  if (!found) return test::skip("reference/chronos/dummy-chronos2 is not there");
  const torch::NoGradGuard no_gradient;
  auto model = models::load_chronos2<test::dummy_chronos2_config, lora>(found->parent_path());
  const auto given = [](const char* name) { return chronos2_fixture(name, "dummy.safetensors"); };
  const auto predicted = [&] { return model->predict(given("context"), 32, {.groups = given("groups")}); };
  CHECK(chronos2_distance(predicted(), given("quantiles")) < 1e-5);
  adapt::load_peft(model, found->parent_path().parent_path() / "dummy-chronos2-lora");
  // That adapter does little: it must be much nearer than none.
  CHECK(chronos2_distance(predicted(), given("adapted")) <
        0.1 * chronos2_distance(given("quantiles"), given("adapted")));
}

TEST_CASE_TEMPLATE("an adapted Chronos-2 merges, clones and comes back from files", Plan, lora, mixed) {
  auto model = adapted_chronos2<Plan>();
  stir(*model);
  const auto expected = quantiles_of(model);
  CHECK(chronos2_distance(expected, chronos2_fixture("informed")) > 1e-3);

  CHECK(chronos2_distance(quantiles_of(adapt::merge(model)), expected) < 2e-5);
  const auto copy =
      std::dynamic_pointer_cast<nn::concrete<models::chronos2<tiny_chronos2_config, Plan>>>(model->clone());
  REQUIRE(copy);
  CHECK(quantiles_of(copy).equal(expected));

  test::temporary_folder scratch;
  torch::save(model, (scratch.path / "model.pt").string());
  nn::module<models::chronos2<tiny_chronos2_config, Plan>> loaded;
  torch::load(loaded, (scratch.path / "model.pt").string());
  loaded->eval();
  CHECK(quantiles_of(loaded).equal(expected));
}

TEST_CASE("a Chronos-2 adapter's file carries the names that peft gives it") {
  auto model = adapted_chronos2<lora>();
  stir(*model);
  test::temporary_folder scratch;
  adapt::save_peft(model, scratch.path);
  const auto written = data::open_safetensors(scratch.path / "adapter_model.safetensors");
  const auto theirs =
      data::open_safetensors(test::chronos2_fixtures() / "tiny/lora/adapter_model.safetensors");
  CHECK(written.size() == theirs.size());
  for (const auto& stored : theirs.tensors()) {
    CAPTURE(stored.name);
    REQUIRE(written.contains(stored.name));
    CHECK(written.at(stored.name).shape == stored.shape);
  }
}

TEST_CASE("what a plan trains of a Chronos-2 learns, and what it freezes stays") {
  torch::manual_seed(6);
  auto model = adapted_chronos2<mixed>();
  const auto frozen = model->named_parameters()["encoder.block.1.layer.1.self_attention.k.weight"];
  const auto before = frozen.clone();
  torch::optim::AdamW adam(adapt::groups(model, torch::optim::AdamWOptions(1e-2)));
  const auto context = chronos2_fixture("context"), target = chronos2_fixture("target");
  const models::chronos2_inputs inputs{.groups = chronos2_fixture("groups")};
  const double first = model->loss(context, target, inputs).item<double>();
  for (int i = 0; i < 30; ++i) {
    adam.zero_grad();
    model->loss(context, target, inputs).backward();
    adam.step();
  }
  CHECK(model->loss(context, target, inputs).item<double>() < 0.95 * first);
  CHECK(frozen.equal(before));
}

TEST_CASE("an adapted Chronos-2 keeps what the library relies on") {
  torch::manual_seed(9);
  auto model = adapted_chronos2<mixed>();
  stir(*model);
  const auto report = nn::check_module(model, at::randn({3, 15}));
  std::ostringstream text;
  text << report;
  CAPTURE(text.str());
  CHECK(report.sound());
}
