#include "fmsb/core/error.hpp"     // usage_error
#include "fmsb/nn/batch_norm.hpp"  // batch_norm
#include "fmsb/nn/layer_norm.hpp"  // layer_norm
#include "fmsb/nn/module.hpp"      // module
#include "fmsb/nn/rms_norm.hpp"    // rms_norm

#include "support/property.hpp"

#include <torch/nn/modules/batchnorm.h>      // torch::nn::BatchNorm1d, BatchNorm2d
#include <torch/nn/modules/normalization.h>  // torch::nn::LayerNorm

#include <cmath>    // std::abs, std::pow, std::sqrt
#include <sstream>  // std::stringstream
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

double distance(const tensor& a, const tensor& b) {
  return a.sizes() == b.sizes() ? (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>()
                                : 1e9;
}

void draw(torch::nn::Module& m) {
  const torch::NoGradGuard no_gradient;
  for (auto& p : m.parameters()) p.normal_();
}

}  // namespace

TEST_CASE("a layer norm is its equation in loops") {
  CHECK(test::holds("mean 0, variance 1, then gain and bias", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    nn::module<nn::layer_norm<6, {.eps = 1e-3}>> m;
    m->to(torch::kDouble);
    draw(*m);
    const auto x =
        torch::randn({3, 6}, torch::kDouble) * *rc::gen::inRange(1, 50) + *rc::gen::inRange(-20, 20);
    const auto y = m->forward(x);
    for (index_t row = 0; row < 3; ++row) {
      double mean = 0, variance = 0;
      for (index_t i = 0; i < 6; ++i) mean += x[row][i].item<double>() / 6;
      for (index_t i = 0; i < 6; ++i) variance += std::pow(x[row][i].item<double>() - mean, 2) / 6;
      for (index_t i = 0; i < 6; ++i) {
        const double unit = (x[row][i].item<double>() - mean) / std::sqrt(variance + 1e-3);
        RC_ASSERT(std::abs(y[row][i].item<double>() -
                           (unit * m->weight[i].item<double>() + m->bias[i].item<double>())) < 1e-10);
      }
    }
  }));
}

TEST_CASE("a layer norm has LibTorch's names and starts as the plain normalisation") {
  nn::module<nn::layer_norm<4>> ours;
  torch::nn::LayerNorm theirs(torch::nn::LayerNormOptions({4}));
  CHECK(ours->named_parameters().keys() == theirs->named_parameters().keys());
  const auto x = torch::randn({2, 3, 4});
  CHECK(ours->forward(x).equal(theirs->forward(x)));
  CHECK(nn::module<nn::layer_norm<4, {.bias = false}>>()->named_parameters().keys() ==
        std::vector<std::string>{"weight"});
  CHECK(nn::module<nn::layer_norm<4, {.affine = false}>>()->named_parameters().is_empty());
  CHECK(distance(nn::module<nn::layer_norm<4, {.affine = false}>>()->forward(x), theirs->forward(x)) < 1e-6);
  CHECK_THROWS_WITH_AS(
      ours->forward(torch::zeros({4, 3})),
      doctest::Contains("layer_norm(features=4, eps=1e-05) was given an input of shape [4, 3]"), usage_error);
}

TEST_CASE("an RMS norm is its equation in loops") {
  CHECK(test::holds("mean square 1, then the gain", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    nn::module<nn::rms_norm<5, {.eps = 1e-2}>> m;
    m->to(torch::kDouble);
    draw(*m);
    const auto x = torch::randn({3, 5}, torch::kDouble) + *rc::gen::inRange(-20, 20);
    const auto y = m->forward(x);
    for (index_t row = 0; row < 3; ++row) {
      double square = 0;
      for (index_t i = 0; i < 5; ++i) square += std::pow(x[row][i].item<double>(), 2) / 5;
      for (index_t i = 0; i < 5; ++i)
        RC_ASSERT(std::abs(y[row][i].item<double>() - x[row][i].item<double>() / std::sqrt(square + 1e-2) *
                                                          m->weight[i].item<double>()) < 1e-10);
    }
  }));
}

TEST_CASE("an RMS norm of half numbers divides in float32: what would overflow a half does not") {
  nn::module<nn::rms_norm<64>> m;
  for (const auto type : {torch::kHalf, torch::kBFloat16}) {
    m->to(type);
    const auto x = (torch::randn({3, 64}) * 1000).to(type);  // squares pass the largest half, 65,504
    const auto y = m->forward(x);
    CHECK((y.scalar_type() == type));
    const auto exact = x.to(torch::kDouble);
    const auto unit = exact * (exact.square().mean(-1, true) + 1e-6).rsqrt();
    CHECK(y.equal(unit.to(torch::kFloat).to(type)));  // one rounding
  }
}

TEST_CASE("an RMS norm registers a gain and no bias") {
  nn::module<nn::rms_norm<4>> m;
  CHECK(m->named_parameters().keys() == std::vector<std::string>{"weight"});
  CHECK(m->describe() == "rms_norm(features=4, eps=1e-06)");
  CHECK_THROWS_AS(m->forward(torch::zeros({4, 3})), usage_error);
}

TEST_CASE("a batch norm is LibTorch's: names, outputs, running statistics, eval mode") {
  nn::module<nn::batch_norm<2, 3, {.momentum = 0.3}>> ours;
  torch::nn::BatchNorm2d theirs(torch::nn::BatchNormOptions(3).momentum(0.3));
  CHECK(ours->named_parameters().keys() == theirs->named_parameters().keys());
  CHECK(ours->named_buffers().keys() == theirs->named_buffers().keys());
  for (int batch = 0; batch < 3; ++batch) {
    const auto x = torch::randn({4, 3, 5, 2}) * 3 + 1;
    CHECK(distance(ours->forward(x), theirs->forward(x)) < 1e-6);
  }
  for (const auto& item : theirs->named_buffers())
    CHECK(distance(ours->named_buffers()[item.key()], *item) < 1e-6);
  CHECK(ours->num_batches_tracked.item<index_t>() == 3);
  ours->eval();
  theirs->eval();
  const auto x = torch::randn({4, 3, 5, 2});
  CHECK(distance(ours->forward(x), theirs->forward(x)) < 1e-6);
  CHECK(ours->num_batches_tracked.item<index_t>() == 3);
}

TEST_CASE("a trained batch is normalised to mean 0 and variance 1 a channel") {
  CHECK(test::holds("mean and variance", [] {
    torch::manual_seed(*rc::gen::arbitrary<std::uint32_t>());
    nn::module<nn::batch_norm<1, 3, {.eps = 0}>> m;
    m->to(torch::kDouble);
    const auto x = torch::randn({4, 3, *rc::gen::inRange<index_t>(1, 9)}, torch::kDouble) * 7 + 5;
    const auto y = m->forward(x).transpose(0, 1).flatten(1);
    RC_ASSERT(y.mean(1).abs().max().item<double>() < 1e-10);
    RC_ASSERT((y.square().mean(1) - 1).abs().max().item<double>() < 1e-8);
  }));
}

TEST_CASE("a batch norm's statistics go through clone and file, and its count stays an integer") {
  nn::module<nn::batch_norm<1, 3>> m, other;
  m->forward(torch::randn({8, 3}));
  m->forward(torch::randn({8, 3}));
  m->to(torch::kDouble);
  CHECK((m->num_batches_tracked.scalar_type() == torch::kLong));
  CHECK((m->running_mean.scalar_type() == torch::kDouble));
  m->to(torch::kCPU, torch::kFloat);
  CHECK((m->num_batches_tracked.scalar_type() == torch::kLong));
  std::stringstream file;
  torch::save(m, file);
  torch::load(other, file);
  CHECK(other->running_var.equal(m->running_var));
  CHECK(other->num_batches_tracked.item<index_t>() == 2);
  const auto copy = m->clone();
  m->forward(torch::randn({8, 3}));
  CHECK(copy->named_buffers()["num_batches_tracked"].item<index_t>() == 2);
}

TEST_CASE("a batch norm whose count was saved as a fraction reads it back as an integer") {
  nn::module<nn::batch_norm<1, 3>> m, other;
  m->forward(torch::randn({4, 3, 5}));
  m->to(torch::kDouble);
  for (auto& buffer : m->named_buffers())
    if (buffer.key() == "num_batches_tracked") buffer->set_data(buffer->to(torch::kFloat));
  std::stringstream file;
  torch::save(m, file);
  torch::load(other, file);
  for (const auto& buffer : other->named_buffers()) {
    CAPTURE(buffer.key());
    CHECK(buffer->dtype() == (buffer.key() == "num_batches_tracked" ? torch::kLong : torch::kFloat));
    CHECK(buffer->equal(m->named_buffers()[buffer.key()].to(buffer->scalar_type())));
  }
}

TEST_CASE("a batch norm refuses what it cannot normalise") {
  nn::module<nn::batch_norm<1, 3>> m;
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({1, 3})), doctest::Contains("leaves each channel one value"),
                       usage_error);
  CHECK_THROWS_AS(m->forward(torch::zeros({2, 4})), usage_error);
  CHECK_THROWS_AS(m->forward(torch::zeros({2, 3, 4, 5})), usage_error);
  m->eval();
  CHECK(m->forward(torch::zeros({1, 3})).sizes() == std::vector<index_t>{1, 3});
}
