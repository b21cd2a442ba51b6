#include "fmsb/adapt/beft.hpp"             // beft
#include "fmsb/adapt/fourier_ft.hpp"       // fourier_ft
#include "fmsb/adapt/groups.hpp"           // groups
#include "fmsb/adapt/lora.hpp"             // lora
#include "fmsb/adapt/merge.hpp"            // merge
#include "fmsb/adapt/norm_tuning.hpp"      // norm_tuning
#include "fmsb/adapt/peft_files.hpp"       // load_peft, save_peft
#include "fmsb/models/t5.hpp"              // t5
#include "fmsb/models/t5/config_file.hpp"  // load_t5
#include "fmsb/nn/check_module.hpp"        // check_module

#include "support/one_thread.hpp"         // one_thread
#include "unit/models_t5/t5_support.hpp"  // tiny, tiny_t5, t5_fixture, distance

#include <torch/optim/adamw.h>  // torch::optim::AdamW

#include <sstream>  // std::ostringstream
#include <string>   // std::string

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;
using test::distance, test::t5_fixture, test::tiny;

namespace {

using lora = plan<rule<names<"q", "k", "v", "o">, adapt::lora<2, adapt::lora_options{.alpha = 4}>>>;
using mixed = plan<rule<names<"q", "v">, adapt::fourier_ft<7>, adapt::beft>,
                   rule<names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>,
                   rule<names<"wo">, adapt::full>, rule<names<"shared">, adapt::lora<2>>>;

template <class Plan>
nn::module<models::t5<tiny, Plan>> adapted_t5() {
  return models::load_t5<tiny, Plan>(test::t5_fixtures() / "tiny");
}

/// Every trainable number moved: adapters start as nothing.
void stir(torch::nn::Module& m) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_gradient;
  for (auto& p : m.parameters())
    if (p.requires_grad()) p.add_(torch::randn_like(p), 0.2);
}

template <class Model>
tensor logits_of(const Model& model) {
  const torch::NoGradGuard no_gradient;
  const auto mask = t5_fixture("mask");
  return model->decode(t5_fixture("decoder_ids"), model->encode(t5_fixture("ids"), mask), mask);
}

}  // namespace

TEST_CASE("a LoRA adapter that peft wrote gives peft's logits, adapted and merged") {
  auto model = adapted_t5<lora>();
  adapt::load_peft(model, test::t5_fixtures() / "tiny/lora");
  CHECK(distance(logits_of(model), t5_fixture("adapted", "tiny/adapted.safetensors")) < 1e-5);
  const auto merged = adapt::merge(model);
  static_assert(std::same_as<std::remove_cvref_t<decltype(merged)>, nn::module<models::t5<tiny>>>);
  CHECK(distance(logits_of(merged), t5_fixture("merged", "tiny/adapted.safetensors")) < 1e-5);
}

TEST_CASE_TEMPLATE("an adapted T5 starts from its checkpoint, merges, clones and comes back from files", Plan,
                   lora, mixed) {
  auto model = adapted_t5<Plan>();
  if constexpr (std::same_as<Plan, lora>)
    CHECK(distance(logits_of(model), t5_fixture("logits")) < 1e-5);  // fourier_ft does not start as its base
  stir(*model);
  const auto expected = logits_of(model);
  CHECK(distance(expected, t5_fixture("logits")) > 1e-3);

  CHECK(distance(logits_of(adapt::merge(model)), expected) < 2e-5);
  const auto copy = std::dynamic_pointer_cast<nn::concrete<models::t5<tiny, Plan>>>(model->clone());
  REQUIRE(copy);
  CHECK(logits_of(copy).equal(expected));

  test::temporary_folder scratch;
  torch::save(model, (scratch.path / "model.pt").string());
  nn::module<models::t5<tiny, Plan>> loaded;
  torch::load(loaded, (scratch.path / "model.pt").string());
  loaded->eval();
  CHECK(logits_of(loaded).equal(expected));

  // Token by token, adapted, beside the whole.
  const torch::NoGradGuard no_gradient;
  const auto mask = t5_fixture("mask"), tokens = t5_fixture("decoder_ids");
  auto decoding = model->start(model->encode(t5_fixture("ids"), mask), mask, 1);
  tensor last;
  for (index_t t = 0; t < tokens.size(1); ++t) last = decoding.step(tokens.narrow(1, t, 1));
  CHECK(distance(last.squeeze(1), expected.select(1, tokens.size(1) - 1)) < 1e-5);
}

TEST_CASE("an adapter's file carries Hugging Face's names") {
  auto model = adapted_t5<lora>();
  stir(*model);
  test::temporary_folder scratch;
  adapt::save_peft(model, scratch.path);
  const auto written = data::open_safetensors(scratch.path / "adapter_model.safetensors");
  const auto theirs = data::open_safetensors(test::t5_fixtures() / "tiny/lora/adapter_model.safetensors");
  CHECK(written.size() == theirs.size());
  for (const auto& stored : theirs.tensors()) {
    CAPTURE(stored.name);
    REQUIRE(written.contains(stored.name));
    CHECK(written.at(stored.name).shape == stored.shape);
  }
}

TEST_CASE("what a plan trains learns, and what it freezes stays") {
  const test::one_thread quick;
  torch::manual_seed(6);
  auto model = adapted_t5<mixed>();
  const auto frozen = model->named_parameters()["encoder.block.1.layer.0.SelfAttention.k.weight"];
  const auto before = frozen.clone();
  torch::optim::AdamW adam(adapt::groups(model, torch::optim::AdamWOptions(2e-2)));
  const auto ids = t5_fixture("ids"), mask = t5_fixture("mask"), labels = t5_fixture("labels");
  const double first = model->loss(ids, mask, labels).item<double>();
  for (int i = 0; i < 40; ++i) {
    adam.zero_grad();
    model->loss(ids, mask, labels).backward();
    adam.step();
  }
  CHECK(model->loss(ids, mask, labels).item<double>() < 0.8 * first);
  CHECK(frozen.equal(before));
}

TEST_CASE("an adapted T5 keeps what the library relies on") {
  const test::one_thread quick;
  torch::manual_seed(9);
  auto model = adapted_t5<mixed>();
  stir(*model);
  const auto ids = t5_fixture("ids").narrow(1, 0, 11), mask = t5_fixture("mask").narrow(1, 0, 11);
  const auto report = nn::check_module(model, ids, mask, t5_fixture("decoder_ids"));
  std::ostringstream text;
  text << report;
  CAPTURE(text.str());
  CHECK(report.sound());
}
