#include "fmsb/search/dash/search.hpp"  // search

#include "fmsb/core/error.hpp"             // usage_error, data_error
#include "fmsb/core/random_bits.hpp"       // random_bits
#include "fmsb/models/wide_resnet_1d.hpp"  // wide_resnet_1d
#include "fmsb/search/dash/mixed.hpp"      // mixed
#include "fmsb/space/product.hpp"          // product
#include "fmsb/train/classifier.hpp"       // fit_classifier

#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/one_thread.hpp"

#include <csignal>  // std::raise
#include <cstddef>  // std::size_t
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using choices = space::product<space::kernel_sizes<3, 5>, space::dilations<1, 3>>;
constexpr models::wide_resnet_1d_options tiny{.in = 2, .classes = 2, .width = 3, .segments = 0};
using supernet = models::wide_resnet_1d<tiny, dash::mixed<choices>>;

/// Noise of two channels; in class 1 two spikes of the first channel stand six places apart somewhere, in
/// class 0 five: told apart by who sees exactly that distance.
data::labelled_set spikes(std::size_t count, std::uint64_t seed, std::size_t distance = 6) {
  constexpr std::size_t kLength = 32;
  random_bits bits(seed);
  std::vector<float> values;
  std::vector<int> labels;
  for (std::size_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % 2);
    std::vector<float> x(2 * kLength);
    for (auto& v : x) v = static_cast<float>(0.3 * (unit_interval(bits) - 0.5));
    const std::size_t at = bits() % (kLength - 8);
    x[at] += 2;
    x[at + (label == 1 ? distance : distance - 1)] += 2;
    values.insert(values.end(), x.begin(), x.end());
    labels.push_back(label);
  }
  return {"spikes", {2, kLength}, std::move(values), std::move(labels), {"five", "six"}};
}

dash::search_options short_search() {
  dash::search_options of;
  of.epochs = 4;
  of.batch = 16;
  of.share = 0.5;
  of.seed = 3;
  of.last_temperature = 0.5;
  return of;
}

}  // namespace

TEST_CASE("alpha's gradient is scaled to one length and pays for wide fields") {
  nn::module<supernet> net;
  const auto places = dash::searched_places(net);
  REQUIRE(places.size() == 9);
  torch::manual_seed(1);
  std::vector<tensor> before;
  for (const auto& place : places) {
    place.alpha.mutable_grad() = torch::randn({4});
    before.push_back(place.alpha.grad().clone());
  }
  const auto fields = dash::fields_of<choices>();
  CHECK(fields.sum().item<float>() == 3 + 7 + 5 + 13);
  dash::rescale_gradients(places, fields, 100, 1e-5);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto wanted = before[i] / (100 * (before[i].norm() + 1e-8)) + 1e-5 * fields;
    CHECK((places[i].alpha.grad() - wanted).abs().max().item<double>() < 1e-7);
  }
}

TEST_CASE("alpha takes the gradient of one loss, and weights keep that of another") {
  nn::module<supernet> net;
  const auto places = dash::searched_places(net);
  const auto x = torch::randn({4, 2, 20}), z = torch::randn({4, 2, 20});
  const auto loss_of = [&](const tensor& batch, std::uint64_t draw) {
    torch::manual_seed(draw);
    return net->forward(batch).square().mean();
  };
  const auto gradients = [&] {
    std::vector<tensor> all;
    for (const auto& p : net->parameters())
      all.push_back(p.grad().defined() ? p.grad().clone() : at::zeros({0}));
    return all;
  };
  loss_of(z, 2).backward();
  std::vector<tensor> wanted;
  for (const auto& place : places) wanted.push_back(place.alpha.grad().clone());
  net->zero_grad();
  loss_of(x, 1).backward();
  const auto before = gradients();
  dash::take_gradients(places, loss_of(z, 2));
  const auto after = gradients();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < before.size(); ++i) kept += before[i].equal(after[i]) ? 1u : 0u;
  CHECK(kept == before.size() - places.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    CHECK((places[i].alpha.grad() - wanted[i]).abs().max().item<double>() <=
          1e-5 * wanted[i].abs().max().item<double>());
}

TEST_CASE("shares follow the held-out examples only where they are asked") {
  const test::one_thread alone;
  const data::train_examples train(spikes(96, 1));
  const data::validation_examples some(spikes(48, 2)), other(spikes(48, 3));
  auto options = short_search();
  const auto shares = [&](const data::validation_examples& held) {
    const auto found = dash::search<supernet>(train, held, options);
    return std::vector<double>(found.shares.all().begin(), found.shares.all().end());
  };
  CHECK(shares(some) == shares(other));
  options.alpha = dash::learned_from::held_out;
  CHECK(shares(some) != shares(other));
}

TEST_CASE("chosen points make a supernet one network, and give it back") {
  torch::manual_seed(2);
  nn::module<supernet> net;
  net->eval();
  const auto x = torch::randn({2, 2, 20});
  const auto mixed = net->forward(x);
  std::vector<std::size_t> points(9, 2);
  {
    const dash::chosen_points single(dash::searched_places(net), points);
    const auto& first = net->at<"block0">().at<"conv0">();
    const auto alone = at::convolution(x, first.weight_of(2), first.bias, {1}, {2}, {1}, false, {0}, 1);
    CHECK((first.forward(x) - alone).abs().max().item<double>() < 1e-6);
  }
  CHECK(net->forward(x).equal(mixed));
}

TEST_CASE("a search with one seed finds the same, whether or not it is ended in between") {
  const test::one_thread alone;
  const data::train_examples train(spikes(160, 1));
  auto options = short_search();
  SUBCASE("by the batch of the weights") {}
  SUBCASE("by held-out examples") { options.alpha = dash::learned_from::held_out; }
  const auto whole = dash::search<supernet>(train, options);
  CHECK(whole.shares.records() == 5);
  CHECK(whole.shares.places() == 9);
  CHECK(whole.points == whole.shares.largest(4));
  CHECK(whole.training.stopped == train::stop::finished);

  const test::temporary_folder folder;
  options.checkpoint.file = folder.path / "search.safetensors";
  int batches = 0;
  options.change = [&](const tensor& x) {
    if (++batches == 9) std::raise(SIGINT);  // in the middle of the second epoch
    return x;
  };
  const auto ended = dash::search<supernet>(train, options);
  CHECK(ended.training.stopped == train::stop::signal);
  CHECK(ended.training.steps == 9);
  CHECK(ended.shares.records() == 2);
  const auto resumed = dash::search<supernet>(train, options);
  CHECK(resumed.training.stopped == train::stop::finished);
  CHECK(std::vector<double>(resumed.shares.all().begin(), resumed.shares.all().end()) ==
        std::vector<double>(whole.shares.all().begin(), whole.shares.all().end()));

  options.gradient_scale = 50;
  CHECK_THROWS_AS(dash::search<supernet>(train, options), data_error);
}

TEST_CASE("validation chooses among candidates, and the likeliest is one of them") {
  const data::train_examples train(spikes(160, 1));
  const data::validation_examples held(spikes(60, 2));
  auto options = short_search();
  options.candidates = 3;
  const auto found = dash::search<supernet>(train, held, options);
  REQUIRE(found.candidates.size() == 3);
  CHECK(found.candidates[0].points == found.shares.largest(4));
  double least = found.candidates[0].loss;
  std::size_t best = 0;
  for (std::size_t i = 1; i < 3; ++i)
    if (found.candidates[i].loss < least) {
      least = found.candidates[i].loss;
      best = i;
    }
  CHECK(found.points == found.candidates[best].points);
}

TEST_CASE("a search that has settled ends early") {
  auto options = short_search();
  options.epochs = 12;
  options.settled = 2;
  options.undecided = 1.1;  // any entropy will do
  options.arch_rate = 0;    // nothing changes
  const auto found = dash::search<supernet>(data::train_examples(spikes(64, 1)), options);
  CHECK(found.training.stopped == train::stop::enough);
  CHECK(found.shares.settled() == 3);
  CHECK(found.shares.records() == 3);
}

TEST_CASE("what was found learns what it was searched for") {
  const data::train_examples train(spikes(240, 1));
  const data::validation_examples held(spikes(80, 2));
  const auto found = dash::search<supernet>(train, held, short_search());
  torch::manual_seed(1);
  auto network = found.instantiate();
  train::classifier_options options;
  options.epochs = 12;
  options.batch = 16;
  const auto past = train::fit_classifier(network, train, held, options);
  CHECK(past.validations.size() == 12);
  REQUIRE(past.best.has_value());
  CHECK(past.best->score < 0.3);
  const auto tensors = train::tensors_of(held);
  const auto logits = train::outputs_of(network, tensors.x, 7);
  CHECK(network->is_training());
  CHECK(train::mean_cross_entropy(logits, tensors.y) == doctest::Approx(past.best->score).epsilon(1e-4));
}

TEST_CASE("options that make no search are refused in a sentence") {
  const data::train_examples train(spikes(20, 1));
  const auto said = [&](auto change) {
    auto options = short_search();
    change(options);
    return test::message_of<usage_error>([&] { dash::search<supernet>(train, options); });
  };
  CHECK(said([](auto& o) { o.share = 0; }).find("above 0 and at most 1") != std::string::npos);
  CHECK(said([](auto& o) { o.epochs = 0; }).find("no epoch") != std::string::npos);
  CHECK(said([](auto& o) { o.last_temperature = 0; }).find("temperature") != std::string::npos);
  CHECK(said([](auto& o) { o.candidates = 0; }).find("no candidate") != std::string::npos);
}
