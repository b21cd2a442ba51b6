#include "fmsb/adapt/bitfit.hpp"                     // bitfit
#include "fmsb/adapt/fourier_ft.hpp"                 // fourier_ft
#include "fmsb/adapt/groups.hpp"                     // groups
#include "fmsb/adapt/lora.hpp"                       // lora
#include "fmsb/adapt/merge.hpp"                      // merge
#include "fmsb/adapt/norm_tuning.hpp"                // norm_tuning
#include "fmsb/adapt/peft_files.hpp"                 // load_peft, save_peft
#include "fmsb/models/chronos_bolt/config_file.hpp"  // load_chronos_bolt
#include "fmsb/nn/check_module.hpp"                  // check_module

#include "support/folder.hpp"                 // temporary_folder
#include "support/one_thread.hpp"             // one_thread
#include "unit/models_bolt/bolt_support.hpp"  // tiny_bolt, bolt_fixture, series_distance

#include <torch/optim/adamw.h>  // torch::optim::AdamW

#include <sstream>  // std::ostringstream
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;
using test::bolt_fixture, test::series_distance, test::tiny_bolt;

namespace {

using lora = plan<rule<names<"q", "v", "output_layer">, adapt::lora<2, adapt::lora_options{.alpha = 4}>>>;
using mixed = plan<rule<names<"q", "v">, adapt::fourier_ft<7>>,
                   rule<names<"hidden_layer", "output_layer", "residual_layer">, adapt::bitfit>,
                   rule<names<"layer_norm">, adapt::norm_tuning>, rule<names<"shared">, adapt::full>>;

template <class Plan>
nn::module<models::chronos_bolt<tiny_bolt, Plan>> adapted_bolt() {
  return models::load_chronos_bolt<tiny_bolt, Plan>(test::bolt_fixtures() / "tiny");
}

template <class Model>
tensor quantiles_of(const Model& model) {
  const torch::NoGradGuard no_gradient;
  return model->predict(bolt_fixture("context"), 12);
}

/// Every trainable number moved: adapters start as nothing.
void stir(torch::nn::Module& m) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_gradient;
  for (auto& p : m.parameters())
    if (p.requires_grad()) p.add_(torch::randn_like(p), 0.2);
}

}  // namespace

TEST_CASE("a LoRA adapter of a Chronos-Bolt that peft wrote gives peft's quantiles, adapted and merged") {
  auto model = adapted_bolt<lora>();
  CHECK(series_distance(quantiles_of(model), bolt_fixture("quantiles")) < 1e-5);
  adapt::load_peft(model, test::bolt_fixtures() / "tiny/lora");
  CHECK(series_distance(quantiles_of(model), bolt_fixture("adapted", "tiny/adapted.safetensors")) < 1e-5);
  const auto merged = adapt::merge(model);
  static_assert(
      std::same_as<std::remove_cvref_t<decltype(merged)>, nn::module<models::chronos_bolt<tiny_bolt>>>);
  CHECK(series_distance(quantiles_of(merged), bolt_fixture("merged", "tiny/adapted.safetensors")) < 1e-5);

  test::temporary_folder scratch;
  adapt::save_peft(model, scratch.path);
  const auto written = data::open_safetensors(scratch.path / "adapter_model.safetensors");
  const auto theirs = data::open_safetensors(test::bolt_fixtures() / "tiny/lora/adapter_model.safetensors");
  CHECK(written.size() == theirs.size());
  for (const auto& stored : theirs.tensors()) {
    CAPTURE(stored.name);
    REQUIRE(written.contains(stored.name));
    CHECK(written.at(stored.name).shape == stored.shape);
  }
}

TEST_CASE("an adapted Chronos-Bolt learns, keeps what is frozen, merges and comes back from files") {
  const test::one_thread quick;
  torch::manual_seed(6);
  auto model = adapted_bolt<mixed>();
  const auto frozen = model->named_parameters()["input_patch_embedding.hidden_layer.weight"];
  const auto before = frozen.clone();
  torch::optim::AdamW adam(adapt::groups(model, torch::optim::AdamWOptions(2e-2)));
  const auto x = bolt_fixture("context"), y = bolt_fixture("target");
  const double first = model->loss(x, y).item<double>();
  for (int i = 0; i < 40; ++i) {
    adam.zero_grad();
    model->loss(x, y).backward();
    adam.step();
  }
  CHECK(model->loss(x, y).item<double>() < 0.8 * first);
  CHECK(frozen.equal(before));

  const auto expected = quantiles_of(model);
  CHECK(series_distance(quantiles_of(adapt::merge(model)), expected) < 2e-5);
  test::temporary_folder scratch;
  torch::save(model, (scratch.path / "model.pt").string());
  nn::module<models::chronos_bolt<tiny_bolt, mixed>> loaded;
  torch::load(loaded, (scratch.path / "model.pt").string());
  loaded->eval();
  CHECK(quantiles_of(loaded).equal(expected));
}

TEST_CASE("an adapted Chronos-Bolt keeps what the library relies on") {
  const test::one_thread quick;
  torch::manual_seed(9);
  auto model = adapted_bolt<mixed>();
  stir(*model);
  const auto report = nn::check_module(model, torch::randn({2, 21}));
  std::ostringstream text;
  text << report;
  CAPTURE(text.str());
  CHECK(report.sound());
}
