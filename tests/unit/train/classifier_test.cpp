#include "fmsb/train/classifier.hpp"  // fit_classifier

#include "fmsb/core/error.hpp"  // data_error

#include "train_support.hpp"

#include <cmath>    // std::log
#include <set>      // std::set
#include <string>   // std::string
#include <utility>  // std::pair
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

/// Two features that tell three classes apart; the third class is rare.
data::labelled_set clouds(std::size_t count, std::uint64_t seed) {
  random_bits bits(seed);
  std::vector<float> values;
  std::vector<int> labels;
  for (std::size_t i = 0; i < count; ++i) {
    const int label = i % 10 == 9 ? 2 : static_cast<int>(i % 2);
    values.push_back(static_cast<float>(label - 1 + 0.4 * (unit_interval(bits) - 0.5)));
    values.push_back(static_cast<float>(unit_interval(bits)));
    labels.push_back(label);
  }
  return {"clouds", {2}, std::move(values), std::move(labels), {"a", "b", "rare"}};
}

using small = nn::sequential<nn::child<"in", nn::linear<2, 8>>, nn::child<"out", nn::linear<8, 3>>>;

}  // namespace

TEST_CASE("short epochs are the first batches of long ones") {
  train::shuffled_rows whole(50, 8, 3);
  train::first_batches some(train::shuffled_rows(50, 8, 3), 3);
  CHECK(some.batches_an_epoch() == 3);
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (int i = 0; i < 3; ++i) {
      CHECK(some.next().equal(whole.next()));
      CHECK(some.epoch() == static_cast<std::uint64_t>(epoch));
    }
    whole.skip_epoch();
  }
}

TEST_CASE("as many short batches as there are make whole epochs, and more are as many") {
  train::first_batches all(train::shuffled_rows(50, 8, 3), 100);
  CHECK(all.batches_an_epoch() == 7);
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::set<index_t> seen;
    for (int i = 0; i < 7; ++i) {
      const auto rows = all.next();
      for (index_t r = 0; r < rows.size(0); ++r) seen.insert(rows[r].item<index_t>());
    }
    CHECK(seen.size() == 50);
    CHECK(all.epoch() == static_cast<std::uint64_t>(epoch));
  }
}

TEST_CASE("full batches leave the rest out, and of few rows there is one batch of all") {
  auto full = train::full_batches(50, 8, 3);
  CHECK(full.batches_an_epoch() == 6);
  CHECK(full.next().size(0) == 8);
  auto few = train::full_batches(5, 8, 3);
  CHECK(few.batches_an_epoch() == 1);
  CHECK(few.next().size(0) == 5);
  CHECK_THROWS_AS(train::full_batches(0, 8, 3), usage_error);
}

TEST_CASE("short epochs go on from their state") {
  for (int before = 0; before < 8; ++before) {
    train::first_batches original(train::shuffled_rows(50, 8, 3), 3),
        other(train::shuffled_rows(50, 8, 3), 3);
    for (int i = 0; i < before; ++i) original.next();
    other.restore(original.state());
    for (int i = 0; i < 5; ++i) {
      CHECK(original.next().equal(other.next()));
      CHECK(original.epoch() == other.epoch());
    }
  }
  train::first_batches three(train::shuffled_rows(50, 8, 3), 3), four(train::shuffled_rows(50, 8, 3), 4);
  CHECK_THROWS_AS(four.restore(three.state()), data_error);
}

TEST_CASE("a hook may change gradients before they are clipped, and may end a training") {
  at::set_num_threads(1);
  torch::manual_seed(2);
  nn::module<test::small<>> model;
  torch::optim::SGD sgd(train::trainable(model), torch::optim::SGDOptions(1.0));
  train::shuffled_rows batches(60, 20, 5);
  const test::rows_of_numbers data;
  std::vector<std::uint64_t> called;
  train::hooks<decltype(model)> hooks;
  const auto weight = model->at<"in">().weight;
  const auto before = weight.detach().clone();
  hooks.after_backward = [&](auto&, std::uint64_t step) {
    called.push_back(step);
    for (auto& p : model->parameters()) p.mutable_grad().zero_();
    weight.mutable_grad().fill_(3);
  };
  hooks.enough = [](auto&, std::uint64_t steps) { return steps == 4; };
  const auto past = train::fit(
      model, sgd, batches, [&](auto& m, const tensor& rows) { return data(m, rows); },
      {.steps = 9, .clip_norm = 1}, hooks);
  CHECK(called == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(past.stopped == train::stop::enough);
  CHECK(past.steps == 4);
  // 48 gradients of 3 are clipped to the length 1: each is then 1 / sqrt(48).
  CHECK((before - weight - 4 / std::sqrt(48.0)).abs().max().item<double>() < 1e-5);
}

TEST_CASE("examples become tensors, and weights make rare classes count alike") {
  const data::train_examples part(clouds(40, 1));
  const auto plain = train::tensors_of(part);
  CHECK(plain.x.sizes() == at::IntArrayRef({40, 2}));
  CHECK(plain.x[7][1].item<float>() == part.members().values(7)[1]);
  CHECK(plain.y[9].item<index_t>() == 2);
  CHECK_FALSE(plain.weights.defined());
  const auto equal = train::tensors_of(part, train::class_balance::equal);
  CHECK(equal.weights[2].item<double>() == doctest::Approx(40.0 / (3 * 4)));
  CHECK_THROWS_AS(train::tensors_of(data::train_examples(part.members().subset({}))), data_error);
}

TEST_CASE("outputs do not depend on the batch, and the mode is kept") {
  torch::manual_seed(1);
  nn::module<test::small<>> model;
  model->train();
  const auto x = torch::randn({11, 6});
  CHECK(train::outputs_of(model, x, 3).allclose(train::outputs_of(model, x, 11)));
  CHECK(model->is_training());
  CHECK(train::classes_of(torch::tensor({{0.1, 0.9, 0.2}, {3.0, 1.0, 2.0}})) == std::vector<int>{1, 0});
}

TEST_CASE("a classifier learns, keeps its best epoch and is the same for one seed") {
  at::set_num_threads(1);
  const data::train_examples part(clouds(200, 1));
  const data::validation_examples held(clouds(100, 2));
  const auto trained = [&](train::classifier_options options) {
    torch::manual_seed(3);
    nn::module<small> model;
    auto past = train::fit_classifier(model, part, held, options);
    return std::pair(std::move(model), std::move(past));
  };
  train::classifier_options options{.epochs = 8, .batch = 20};
  const auto [model, past] = trained(options);
  CHECK(past.steps == 80);
  REQUIRE(past.validations.size() == 8);
  CHECK(past.best->score < 0.5);
  CHECK(test::same_bits(*model, *trained(options).first));
  options.score = [](const tensor& logits, const tensor& y) {
    return (logits.argmax(1) != y).to(at::kDouble).mean().item<double>();
  };
  options.by = train::optimiser::adam_w;
  options.rate = 0.02;
  options.balance = train::class_balance::equal;
  CHECK(trained(options).second.best->score < 0.05);
  CHECK(train::mean_cross_entropy(torch::zeros({4, 3}), torch::zeros({4}, at::kLong)) ==
        doctest::Approx(std::log(3.0)));
}

TEST_CASE("a schedule of epochs changes between them only") {
  const train::by_epoch rate{train::stepped_rate{.milestones = {2}, .gamma = 0.5}, 10, 4};
  CHECK(rate(0, 0) == 1);
  CHECK(rate(19, 0) == 1);
  CHECK(rate(20, 0) == 0.5);
  const train::by_epoch warm{train::linear_rate{.warm_up = 5}, 3, 65};  // as released for the 2-D UNets
  CHECK(warm(0, 0) == 0);
  CHECK(warm(5 * 3, 0) == 1);
  CHECK(warm(59 * 3 + 2, 0) == doctest::Approx(1 - 54.0 / 60));
}
