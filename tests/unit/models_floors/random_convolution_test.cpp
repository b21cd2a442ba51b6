#include "fmsb/models/floors/random_convolution.hpp"

#include "fmsb/evaluate/confusion.hpp"
#include "fmsb/space/product.hpp"

#include "support/data.hpp"
#include "support/property.hpp"

#include <algorithm>    // std::min
#include <cctype>       // std::toupper
#include <cmath>        // std::abs
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <fstream>      // std::ifstream
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

using sequences =
    models::random_convolution<space::product<space::kernel_sizes<3, 5>, space::dilations<1, 2>>>;
using images = models::random_convolution<space::product<space::kernel_sizes<3>, space::dilations<1, 2>>>;

/// Noise; a class is a bump at its own third of the length, or a brighter half of an image.
data::labelled_set made(std::vector<std::size_t> shape, std::size_t n, std::uint64_t seed) {
  const bool image = shape.size() == 3;
  random_bits bits(seed);
  std::size_t each = 1;
  for (const auto extent : shape) each *= extent;
  std::vector<float> values(n * each);
  std::vector<int> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    labels[i] = static_cast<int>(i % 3);
    for (std::size_t k = 0; k < each; ++k) values[i * each + k] = static_cast<float>(data::draw_normal(bits));
    const std::size_t length = shape.back();
    for (std::size_t k = 0; k < each; ++k)
      if (k % length * 3 / length == i % 3 && (image || k % 4 < 2)) values[i * each + k] += 1.5F;
  }
  return {"made", std::move(shape), std::move(values), labels, {"left", "middle", "right"}};
}

/// A T C G N; what is none of the four is N.
data::labelled_set one_hot(const std::vector<std::string>& texts, std::vector<int> labels) {
  const std::size_t length = texts.front().size();
  std::vector<float> values(texts.size() * 5 * length);
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t p = 0; p < length; ++p) {
      const auto place = std::string_view("ATCG").find(static_cast<char>(std::toupper(texts[i][p])));
      values[(i * 5 + std::min<std::size_t>(place, 4)) * length + p] = 1;
    }
  return {"sequences", {5, length}, std::move(values), std::move(labels), {"no", "yes"}};
}

double share_right(const std::vector<int>& predicted, std::span<const int> truth) {
  metrics::confusion all(10);
  all.add(truth, predicted);
  return all.accuracy();
}

}  // namespace

TEST_CASE("random_convolution: learns where something is, over one axis and over two") {
  for (const auto& shape : {std::vector<std::size_t>{2, 36}, {1, 12, 12}}) {
    const auto train = made(shape, 150, 1), test = made(shape, 60, 2);
    const models::random_convolution_options options{.kernels = 60, .seed = 3, .step = 1};
    const auto score = [&](auto floor) {
      floor.fit(data::train_examples(train));
      CHECK(floor.chosen_segments() > 1);
      CHECK(floor.leave_one_out_accuracy() > .85);
      CHECK(floor.chosen_lambda() > 0);
      CHECK(floor.scores(test).sizes() == at::IntArrayRef({60, 3}));
      return share_right(floor.predict(test), test.labels());
    };
    CHECK((shape.size() == 2 ? score(sequences(options)) : score(images(options))) > .85);
  }
}

TEST_CASE("random_convolution: the same seed gives the same features and scores at any number of threads") {
  const auto train = made({2, 36}, 90, 1), test = made({2, 36}, 30, 2);
  const int before = at::get_num_threads();
  std::vector<tensor> features, scores;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    sequences floor({.kernels = 40, .seed = 5, .choose_on = 60});
    floor.fit(data::train_examples(train));
    features.push_back(floor.features(test));
    scores.push_back(floor.scores(test));
  }
  at::set_num_threads(before);
  for (int i = 1; i < 3; ++i) {
    CHECK(features[static_cast<std::size_t>(i)].equal(features[0]));
    CHECK((scores[static_cast<std::size_t>(i)] - scores[0]).abs().max().item<double>() < 2e-3);
  }
  sequences other({.kernels = 40, .seed = 6, .segments = {1}});
  other.fit(data::train_examples(train));
  CHECK_FALSE(other.features(test).equal(features[0]));
}

TEST_CASE("random_convolution: one-hot arrays have the features of the same arrays as numbers") {
  std::vector<std::string> texts;
  random_bits bits(4);
  for (int i = 0; i < 40; ++i) {
    texts.emplace_back();
    for (int p = 0; p < 50; ++p) texts.back() += "ATCGN"[data::draw_below(bits, 5)];
  }
  std::vector<int> labels(40);
  for (std::size_t i = 0; i < 40; ++i) labels[i] = static_cast<int>(i % 2);
  const auto train = one_hot(texts, labels);
  sequences floor({.kernels = 70, .seed = 1, .segments = {5}});
  floor.fit(data::train_examples(train));
  std::vector<float> values(train.values().begin(), train.values().end());
  for (float& x : values) x *= 2;
  const data::labelled_set doubled("doubled", {5, 50}, values, labels, {"no", "yes"});
  const models::random_kernels kernels(train, sequences::shapes(), 70, 1);
  const models::pooling_grid grid(kernels.frame(), 5);
  models::padded_example by_symbol(kernels.frame()), by_number(kernels.frame());
  by_symbol.hold(train.values(0));
  by_number.hold(doubled.values(0));
  REQUIRE(by_symbol.has_symbols());
  REQUIRE_FALSE(by_number.has_symbols());
  // An output of doubled numbers is twice the output less the bias.
  std::vector<float> one(kernels.blocks().size() * grid.pooled_floats()), two(one.size());
  kernels.pool(by_symbol, grid, one.data());
  kernels.pool(by_number, grid, two.data());
  for (std::size_t b = 0; b < kernels.blocks().size(); ++b)
    for (std::size_t c = 0; c < grid.cells; ++c)
      for (std::size_t j = 0; j < kernels.blocks()[b].kernels; ++j) {
        const std::size_t at = b * grid.pooled_floats() + c * 2 * nn::kPanel + j;
        const float bias = kernels.blocks()[b].bias[j];
        CHECK(std::abs(two[at] - bias - 2 * (one[at] - bias)) < 1e-4F);
      }
}

TEST_CASE("random_kernels: weights are centred and of norm 1, equally many for each shape") {
  for (const auto& shape : {std::vector<std::size_t>{3, 40}, {2, 9, 11}}) {
    const auto train = made(shape, 6, 1);
    const models::random_kernels kernels(train, sequences::shapes(), 150, 2);
    std::size_t all = 0;
    for (const auto& b : kernels.blocks()) {
      all += b.kernels;
      for (std::size_t j = 0; j < nn::kPanel; ++j) {
        double sum = 0, squares = 0;
        for (std::size_t k = 0; k < b.offsets.size(); ++k) {
          const auto w = static_cast<double>(b.weights[k * nn::kPanel + j]);
          sum += w;
          squares += w * w;
        }
        CHECK(std::abs(sum) < 1e-5);
        CHECK(std::abs(squares - (j < b.kernels ? 1 : 0)) < 1e-5);
      }
    }
    CHECK(all == 150);
  }
}

TEST_CASE("random_convolution: what cannot be pooled or scored is refused") {
  const auto train = made({2, 36}, 12, 1);
  CHECK_THROWS_AS(sequences({.segments = {2, 3}}), usage_error);
  CHECK_THROWS_AS(sequences({.segments = {0, 3}}), usage_error);
  CHECK_THROWS_AS(sequences({.segments = {40}}).fit(data::train_examples(train)), usage_error);
  CHECK_THROWS_AS(sequences({.kernels = 0}).fit(data::train_examples(train)), usage_error);
  CHECK_THROWS_AS((void)sequences().scores(train), usage_error);
  sequences floor({.kernels = 8, .segments = {1}});
  floor.fit(data::train_examples(train));
  CHECK_THROWS_AS((void)floor.scores(made({2, 30}, 3, 1)), usage_error);
}

TEST_CASE("random_convolution: promoters by 300 kernels, MCC above that of words of letters (.407)") {
  const auto read = [](const char* name) -> std::optional<data::labelled_set> {
    const auto path = test::data_file(name);
    if (!path) return std::nullopt;
    std::ifstream in(*path);
    std::vector<std::string> texts;
    std::vector<int> labels;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      texts.push_back(line.substr(0, line.find(',')));
      labels.push_back(line[line.find(',') + 1] - '0');
    }
    return one_hot(texts, labels);
  };
  const auto train = read("genomics/prom_300_tata/train.csv"), test = read("genomics/prom_300_tata/test.csv");
  if (!train || !test) return test::skip("genomics/prom_300_tata is not in the data folder");
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < train->size(); i += 3) some.push_back(i);
  models::random_convolution<space::product<space::kernel_sizes<5, 7, 9, 11>, space::dilations<1, 3, 7>>>
      floor({.kernels = 300, .seed = 1, .segments = {1, 6}});
  floor.fit(data::train_examples(train->subset(some)));
  CHECK(floor.chosen_segments() == 6);
  metrics::confusion found(2);
  found.add(test->labels(), floor.predict(*test));
  CHECK(found.matthews() > .5);
}
