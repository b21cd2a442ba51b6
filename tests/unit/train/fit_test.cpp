#include "fmsb/train/fit.hpp"

#include "fmsb/nn/tree.hpp"

#include "train_support.hpp"

#include <torch/nn/utils/clip_grad.h>  // torch::nn::utils::clip_grad_norm_

#include <algorithm>  // std::sort
#include <cmath>      // std::isnan
#include <csignal>    // std::raise
#include <fstream>    // std::ifstream
#include <limits>     // std::numeric_limits
#include <numeric>    // std::iota
#include <string>     // std::string
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::rows_of_numbers, test::same_bits, test::temporary_folder;
using torch::optim::AdamW, torch::optim::AdamWOptions, torch::optim::SGD, torch::optim::SGDOptions;

namespace {

using model_type = test::small<>;

/// A model that a seed draws, ready to be trained with that seed; it is too small for two threads.
nn::module<model_type> seeded(std::uint64_t seed) {
  at::set_num_threads(1);
  torch::manual_seed(seed);
  return {};
}

template <class Act>
std::string refused(Act act) {
  return test::message_of<usage_error>(act);
}

/// A training of three steps with these options.
train::history three(train::fit_options options, double poison_at = -1, std::uint64_t batch = 20) {
  auto model = seeded(2);
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, static_cast<index_t>(batch), 5);
  const rows_of_numbers data;
  int call = 0;
  if (options.steps == 0) options.steps = 3;
  return train::fit(
      model, adam, batches,
      [&](auto& m, const tensor& rows) {
        const auto loss = data(m, rows);
        return ++call == poison_at ? loss * std::numeric_limits<double>::quiet_NaN() : loss;
      },
      options);
}

}  // namespace

TEST_CASE("fit does what a loop written by hand does, to the bit") {
  const rows_of_numbers data;
  const train::schedule rate = train::linear_rate{.warm_up = 3};
  constexpr std::uint64_t kSteps = 25, kBatches = 2;

  auto fitted = seeded(11);
  AdamW adam(train::trainable(fitted), AdamWOptions(3e-2).weight_decay(0.1));
  train::shuffled_rows batches(60, 16, 7);
  const auto past = train::fit(fitted, adam, batches, data,
                               {.steps = kSteps, .accumulate = kBatches, .rate = rate, .clip_norm = 0.5});

  auto plain = seeded(11);
  AdamW by_hand(plain->parameters(), AdamWOptions(3e-2).weight_decay(0.1));
  train::shuffled_rows same(60, 16, 7);
  for (std::uint64_t s = 0; s < kSteps; ++s) {
    static_cast<AdamWOptions&>(by_hand.param_groups()[0].options()).lr(3e-2 * rate(s, kSteps));
    by_hand.zero_grad();
    double mean = 0;
    for (std::uint64_t i = 0; i < kBatches; ++i) {
      const auto loss = data(plain, same.next());
      mean += loss.item<double>() / kBatches;
      (loss / static_cast<double>(kBatches)).backward();
    }
    train::clip_gradients(plain->parameters(), train::gradient_norm(plain->parameters()), 0.5);
    by_hand.step();
    CHECK(past.losses[s] == mean);
  }
  CHECK(same_bits(*fitted, *plain));
  CHECK(past.steps == kSteps);
  CHECK(past.batches == kSteps * kBatches);
  CHECK(past.stopped == train::stop::finished);
  CHECK(past.exit_code() == 0);
  CHECK(past.trained_parameters == nn::count_parameters(*fitted).trainable);
  CHECK(past.losses.back() < past.losses.front());
}

TEST_CASE("the norm and clipping of gradients are those of torch::nn::utils::clip_grad_norm_") {
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kBFloat16})
    for (const double most : {0.3, 1e3}) {
      torch::manual_seed(1);
      std::vector<tensor> ours, theirs;
      for (const index_t n : {1, 7, 64}) {
        auto p = torch::zeros({n, 5}, type);
        p.mutable_grad() = torch::randn({5, n}).to(type).t();  // dense, but not row after row
        ours.push_back(p);
        auto q = torch::zeros({n, 5}, type);
        q.mutable_grad() = p.grad().clone();
        theirs.push_back(q);
      }
      ours.push_back(torch::zeros({3}, type));  // no gradient
      const double norm = train::gradient_norm(ours);
      train::clip_gradients(ours, norm, most);
      const double tolerance = type == torch::kDouble  ? 1e-12
                               : type == torch::kFloat ? 1e-6
                                                       : 1e-2;  // of their types
      CHECK(norm == doctest::Approx(torch::nn::utils::clip_grad_norm_(theirs, most)).epsilon(tolerance));
      for (std::size_t i = 0; i < theirs.size(); ++i)
        CHECK(torch::allclose(ours[i].grad(), theirs[i].grad(), tolerance, 1e-12));
      if (most > norm)
        for (std::size_t i = 0; i < theirs.size(); ++i) CHECK(ours[i].grad().equal(theirs[i].grad()));
    }
}

TEST_CASE("every group keeps its own rate under the schedule, and has it back afterwards") {
  auto model = seeded(3);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  const auto all = train::trainable(model);
  groups.emplace_back(std::vector<tensor>{all[0]}, std::make_unique<SGDOptions>(SGDOptions(0.5)));
  groups.emplace_back(std::vector<tensor>(all.begin() + 1, all.end()),
                      std::make_unique<SGDOptions>(SGDOptions(0.02)));
  SGD sgd(groups, SGDOptions(1));
  train::shuffled_rows batches(60, 20, 1);
  std::vector<double> seen;
  train::fit(model, sgd, batches, rows_of_numbers{}, {.steps = 4, .rate = train::linear_rate{}},
             {.after_step = [&](auto&, std::uint64_t step) {
               CHECK(step * 2 == seen.size());
               for (const auto& group : sgd.param_groups()) seen.push_back(group.options().get_lr());
             }});
  CHECK(seen == std::vector<double>{0.5, 0.02, 0.5 * 0.75, 0.02 * 0.75, 0.5 * 0.5, 0.02 * 0.5, 0.5 * 0.25,
                                    0.02 * 0.25});
  CHECK(sgd.param_groups()[0].options().get_lr() == 0.5);
  CHECK(sgd.param_groups()[1].options().get_lr() == 0.02);
}

TEST_CASE("training stops when validation no longer improves, and the model has the numbers of its best") {
  auto model = seeded(4);
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 20, 1);
  const std::vector<double> scores{5, 4, 4.5, std::nan(""), 3, 3, 7, 8, 1};
  std::size_t call = 0;
  nn::module<model_type> best{nullptr};
  const auto past = train::fit(
      model, adam, batches, rows_of_numbers{}, {.steps = 100, .validation = {.every = 2, .patience = 3}},
      {.validate = [&](auto& m) {
        CHECK_FALSE(m->is_training());
        CHECK_FALSE(torch::GradMode::is_enabled());
        if (call == 4)
          best = nn::module<model_type>(std::dynamic_pointer_cast<nn::concrete<model_type>>(m->clone()));
        return scores[call++];
      }});
  CHECK(past.stopped == train::stop::no_improvement);
  CHECK(past.steps == 16);
  CHECK((past.best == train::validation_score{10, 3}));
  CHECK(past.validations.size() == 8);
  CHECK(same_bits(*model, *best));
  CHECK(model->is_training());
}

TEST_CASE("a model that never becomes better than it was before the first step keeps its numbers") {
  auto model = seeded(5);
  const auto before = std::dynamic_pointer_cast<nn::concrete<model_type>>(model->clone());
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 20, 1);
  double score = 0;
  const auto past = train::fit(model, adam, batches, rows_of_numbers{},
                               {.steps = 5, .validation = {.every = 1, .at_start = true}},
                               {.validate = [&](auto&) { return score++; }});
  CHECK((past.best == train::validation_score{0, 0}));
  CHECK(past.validations.size() == 6);
  CHECK(same_bits(*model, *before));
}

TEST_CASE("validation changes nothing: neither what it draws nor eval mode is seen by the training") {
  auto with = seeded(6), without = seeded(6);
  for (auto* model : {&with, &without}) {
    torch::manual_seed(77);
    AdamW adam(train::trainable(*model), AdamWOptions(1e-2));
    train::shuffled_rows batches(60, 20, 1);
    train::hooks<nn::module<model_type>> hooks;
    train::fit_options options{.steps = 12, .validation = {.restore_best = false}};
    if (model == &with) {
      options.validation.every = 1;
      hooks.validate = [](auto&) { return torch::rand({3}).sum().template item<double>(); };
    }
    train::fit(*model, adam, batches, rows_of_numbers{}, options, hooks);
  }
  CHECK(same_bits(*with, *without));
}

TEST_CASE("a step whose numbers are not finite is skipped and counted") {
  const auto past = three({.steps = 4}, 2);
  CHECK(past.skipped == 1);
  CHECK(past.steps == 4);
  CHECK(std::isnan(past.losses[1]));
  for (const std::size_t i : {0u, 2u, 3u}) CHECK(std::isfinite(past.losses[i]));
}

TEST_CASE("more such steps than are allowed end the training with a sentence that names the batch") {
  CHECK(test::message_of<data_error>([] { three({.accumulate = 2, .skippable = 0}, 4); }) ==
        "Step 2 of the training, batch 4 from its start: the loss is nan, and 0 steps were skipped for such "
        "numbers "
        "before. Look for values in the data that are not finite, lower the rate, or clip the gradients.");
}

TEST_CASE("a gradient that is not finite is no update, though the loss is") {
  auto model = seeded(8);
  const auto before = std::dynamic_pointer_cast<nn::concrete<model_type>>(model->clone());
  SGD sgd(train::trainable(model), SGDOptions(0.1));
  train::shuffled_rows batches(60, 20, 1);
  const auto loss = [](auto& m, const tensor&) { return m->parameters()[0].square().sum().mul(0).sqrt(); };
  const auto past = train::fit(model, sgd, batches, loss, {.steps = 2});  // 0 * infinity
  CHECK(past.skipped == 2);
  CHECK(same_bits(*model, *before));
  const auto sentence = test::message_of<data_error>(
      [&] { train::fit(model, sgd, batches, loss, {.steps = 2, .accumulate = 3, .skippable = 0}); });
  CHECK(sentence.find(
            "Step 1 of the training, batches 1 to 3 from its start: the norm of the gradients is nan") == 0);
}

TEST_CASE("bf16 holds for products within the loss and for nothing else") {
  auto model = seeded(9);
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 20, 1);
  const rows_of_numbers data;
  const auto past =
      train::fit(model, adam, batches,
                 [&](auto& m, const tensor& rows) {
                   CHECK((m->template at<"in">().forward(data.x).scalar_type() == torch::kBFloat16));
                   return data(m, rows);
                 },
                 {.steps = 30, .products = train::precision::bf16});
  CHECK((model->at<"in">().forward(data.x).scalar_type() == torch::kFloat));
  for (const auto& p : model->parameters()) CHECK((p.scalar_type() == torch::kFloat));
  CHECK(past.losses.back() < past.losses.front());
}

TEST_CASE("an epoch is one pass of the sampler, a step takes as many batches as accumulate says") {
  CHECK(three({.steps = 0, .epochs = 0}).steps == 3);
  const auto by_epochs = [](std::uint64_t epochs, std::uint64_t accumulate) {
    auto model = seeded(2);
    AdamW adam(train::trainable(model), AdamWOptions(1e-2));
    train::shuffled_rows batches(60, 25, 5);
    return train::fit(model, adam, batches, rows_of_numbers{}, {.epochs = epochs, .accumulate = accumulate})
        .steps;
  };
  CHECK(by_epochs(2, 1) == 6);
  CHECK(by_epochs(3, 2) == 5);
}

TEST_CASE("shuffled rows: an epoch is a permutation, of its own, and any state can be gone back to") {
  for (const auto last : {train::rest::keep, train::rest::drop}) {
    train::shuffled_rows batches(23, 5, 9, last);
    std::vector<std::vector<index_t>> epochs(3);
    std::vector<train::sampler_state> states;
    std::vector<tensor> given;
    for (auto& epoch : epochs)
      for (std::uint64_t i = 0; i < batches.batches_an_epoch(); ++i) {
        states.push_back(batches.state());
        given.push_back(batches.next());
        for (index_t k = 0; k < given.back().size(0); ++k) epoch.push_back(given.back()[k].item<index_t>());
      }
    CHECK(batches.epoch() == 3);
    CHECK(epochs[0] != epochs[1]);
    CHECK(epochs[1] != epochs[2]);
    for (auto& epoch : epochs) {
      std::sort(epoch.begin(), epoch.end());
      CHECK((std::adjacent_find(epoch.begin(), epoch.end()) == epoch.end()));
      CHECK(epoch.size() == (last == train::rest::keep ? 23 : 20));
      CHECK(epoch.back() < 23);
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
      train::shuffled_rows other(23, 5, 9, last);
      other.restore(states[i]);
      CHECK(other.next().equal(given[i]));
    }
  }
  train::shuffled_rows batches(23, 5, 9);
  CHECK(test::message_of<data_error>([&] { batches.restore(train::shuffled_rows(23, 6, 9).state()); }) ==
        "fmsb::train::shuffled_rows: the saved state is of 23 rows in batches of 6 with seed 9, but the "
        "sampler has 23 "
        "rows in batches of 5 with seed 9. Resume with the data, batch size and seed of the first run.");
  CHECK(refused([] {
          train::shuffled_rows(4, 5, 1, train::rest::drop);
        }).find("4 rows in batches of 5 make no batch") != std::string::npos);
}

TEST_CASE("what does not fit together is refused in sentences") {
  const auto begins = [](const std::string& text, const std::string& with) {
    CAPTURE(text);
    return text.rfind("fmsb::train::fit: " + with, 0) == 0;
  };
  auto model = seeded(1);
  auto other = seeded(1);
  train::shuffled_rows batches(60, 20, 5);
  const rows_of_numbers data;
  const auto fit = [&](const std::vector<tensor>& parameters, auto loss, const train::fit_options& options) {
    return refused([&] {
      SGD sgd(parameters, SGDOptions(0.1));
      train::fit(model, sgd, batches, loss, options);
    });
  };
  const auto own = train::trainable(model);
  CHECK(begins(fit(train::trainable(other), data, {.steps = 1}),
               "the optimiser holds a parameter of shape [8, 6] that"));
  CHECK(begins(fit({own[0]}, data, {.steps = 1}),
               "\"in.bias\" takes gradients, but the optimiser does not hold it"));
  CHECK(begins(fit(own, data, {}), "no step was asked for"));
  CHECK(begins(fit(own, data, {.steps = 2, .epochs = 3}), "both 2 steps and 3 epochs were asked for"));
  CHECK(begins(fit(own, data, {.steps = 2, .accumulate = 0}), "accumulate is 0"));
  CHECK(begins(fit(own, data, {.steps = 2, .clip_norm = -1}), "clip_norm was given as -1"));
  CHECK(begins(fit(own, data, {.steps = 2, .validation = {.patience = 2}}),
               "fit_options::validation says when"));
  CHECK(begins(fit(own, [](auto& m, const tensor&) { return m->parameters()[0]; }, {.steps = 1}),
               "the loss of a batch must be one number, but has the shape [8, 6]"));
  CHECK(
      begins(fit(own, [](auto& m, const tensor&) { return m->parameters()[0].detach().sum(); }, {.steps = 1}),
             "the loss of a batch does not depend on what trains"));
  struct endless {
    tensor next() { return torch::arange(5); }
    train::sampler_state state() const { return {}; }
    void restore(const train::sampler_state&) {}
  } no_epochs;
  SGD sgd(own, SGDOptions(0.1));
  CHECK(begins(refused([&] { train::fit(model, sgd, no_epochs, data, {.epochs = 1}); }),
               "epochs were asked for, but"));
}

TEST_CASE("the log has an object a line, for every n-th step, every validation and the last step") {
  const temporary_folder folder;
  auto model = seeded(2);
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 20, 5);
  const auto past = train::fit(model, adam, batches, rows_of_numbers{},
                               {.steps = 11,
                                .rate = train::linear_rate{},
                                .validation = {.every = 3, .at_start = true},
                                .log = {.file = folder.path / "log.jsonl", .every = 4}},
                               {.validate = [](auto&) { return 0.5; }});
  std::ifstream in(folder.path / "log.jsonl");
  std::vector<std::uint64_t> steps;
  for (std::string line; std::getline(in, line);) {
    const auto read = report::json::parse(line);
    const auto step = read["step"].get<std::uint64_t>();
    steps.push_back(step);
    CHECK(read.contains("validation") == (step % 3 == 0 || step == 11));
    if (step == 0) continue;
    CHECK(read["loss"].get<double>() == past.losses[step - 1]);
    CHECK(read["rate_factor"].get<double>() == train::linear_rate{}(step - 1, 11));
    CHECK(read["gradient_norm"].get<double>() > 0);
  }
  CHECK(steps == std::vector<std::uint64_t>{0, 3, 4, 6, 8, 9, 11});
}

TEST_CASE("a history is JSON with what happened") {
  train::history past{.steps = 3, .batches = 6, .skipped = 1, .losses = {1, std::nan(""), 0.5}};
  past.validations = {{0, 2}, {3, 1}};
  past.best = past.validations[1];
  past.trained_parameters = 9;
  past.stopped = train::stop::signal;
  past.signal = 15;
  CHECK(past.exit_code() == 143);
  CHECK(
      train::to_json(past).dump() ==
      R"({"stopped":"signal","signal":15,"steps":3,"batches":6,"skipped":1,"trained_parameters":9,"seconds":0.0,)"
      R"("best":{"step":3,"score":1.0},"validations":[{"step":0,"score":2.0},{"step":3,"score":1.0}],)"
      R"("losses":[1.0,null,0.5]})");
}

TEST_CASE("a signal ends the training after the step in progress, and other handlers are put back") {
  static int caught = 0;
  const auto before = std::signal(SIGTERM, [](int) { ++caught; });
  auto model = seeded(2);
  AdamW adam(train::trainable(model), AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 20, 5);
  const rows_of_numbers data;
  int call = 0;
  const auto past = train::fit(model, adam, batches,
                               [&](auto& m, const tensor& rows) {
                                 if (++call == 4) {
                                   std::raise(SIGTERM);
                                   std::raise(SIGTERM);
                                 }
                                 return data(m, rows);
                               },
                               {.steps = 50});
  CHECK(past.stopped == train::stop::signal);
  CHECK(past.steps == 4);
  CHECK(past.exit_code() == 143);
  CHECK(caught == 0);
  std::raise(SIGTERM);
  CHECK(caught == 1);
  std::signal(SIGTERM, before);
}

TEST_CASE(
    "an outer guard remembers the signal that ended an inner training, and an ignored one stays ignored") {
  {
    const train::stop_signals outer;
    {
      const train::stop_signals inner;
      std::raise(SIGINT);
    }
    CHECK(train::stop_signals::received() == SIGINT);
  }
  CHECK(train::stop_signals::received() == 0);

  const auto before = std::signal(SIGINT, SIG_IGN);
  {
    const train::stop_signals guard;
    std::raise(SIGINT);
    CHECK(train::stop_signals::received() == 0);
  }
  std::signal(SIGINT, before);
}
