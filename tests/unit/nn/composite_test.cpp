#include "fmsb/nn/composite.hpp"  // composite, sequential

#include "fmsb/nn/linear.hpp"  // linear
#include "fmsb/nn/repeat.hpp"  // repeat
#include "fmsb/nn/tree.hpp"    // tree, count_parameters

#include <torch/nn/modules/container/any.h>         // torch::nn::AnyModule
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential

#include <sstream>  // std::stringstream
#include <string>   // std::string
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

struct feed_forward
    : nn::composite<nn::child<"wi", nn::linear<4, 6, nn::bias_term::no>>, nn::child<"wo", nn::linear<6, 4>>> {
  tensor forward(const tensor& x) const { return at<"wo">().forward(at<"wi">().forward(x).relu()); }

 protected:
  std::string title() const override { return "feed_forward"; }
};

struct stack
    : nn::composite<nn::child<"block", nn::repeat<3, feed_forward>>, nn::child<"head", nn::linear<4, 2>>> {
  tensor forward(const tensor& x) const {
    tensor y = x;
    at<"block">().for_each([&](const feed_forward& b) { y = y + b.forward(y); });
    return at<"head">().forward(y);
  }
};

/// The same children, to be told apart by the class alone.
struct other_stack
    : nn::composite<nn::child<"block", nn::repeat<3, feed_forward>>, nn::child<"head", nn::linear<4, 2>>> {
  tensor forward(const tensor& x) const { return at<"head">().forward(x); }
};

struct with_its_own : nn::composite<nn::child<"inner", nn::linear<4, 4>>> {
  static constexpr index_t parameter_count = composite::parameter_count + 4;
  tensor gain;
  void reset() override {
    composite::reset();
    gain = register_parameter("gain", nn::filled({4}, 1));
  }
  tensor forward(const tensor& x) const { return at<"inner">().forward(x) * gain; }
};

using loose = nn::linear<dynamic, dynamic>;

static_assert(nn::parameters<feed_forward> == 4 * 6 + 6 * 4 + 4);
static_assert(nn::multiply_adds<feed_forward> == 4 * 6 + 6 * 4);
static_assert(nn::parameters<stack> == 3 * 52 + 10);
static_assert(nn::trainable_parameters<stack> == nn::parameters<stack>);
static_assert(nn::parameters<with_its_own> == 24);
static_assert(nn::parameters<nn::repeat<4, loose>> == dynamic);
static_assert(nn::parameters<nn::repeat<2, nn::linear<2, 2>, nn::linear<2, 3>>> == 6 + 9);
static_assert(nn::receptive_field<nn::sequential<nn::child<"0", nn::linear<2, 2>>>> == 1);

template <class T>
nn::module<T> cloned(const nn::module<T>& m) {
  return nn::module<T>(std::dynamic_pointer_cast<nn::concrete<T>>(m->clone()));
}

}  // namespace

TEST_CASE("one declaration registers children, in its order and under its names") {
  nn::module<stack> m;
  CHECK(m->named_parameters().keys() ==
        std::vector<std::string>{"block.0.wi.weight", "block.0.wo.weight", "block.0.wo.bias",
                                 "block.1.wi.weight", "block.1.wo.weight", "block.1.wo.bias",
                                 "block.2.wi.weight", "block.2.wo.weight", "block.2.wo.bias", "head.weight",
                                 "head.bias"});
  CHECK(m->at<"head">().weight.is_same(m->named_parameters()["head.weight"]));
  CHECK(m->at<"block">()[1].at<"wo">().bias.is_same(m->named_parameters()["block.1.wo.bias"]));
  CHECK(nn::count_parameters(*m) == nn::parameter_counts{nn::parameters<stack>, nn::parameters<stack>});
  nn::module<with_its_own> more;
  CHECK(nn::count_parameters(*more).all == nn::parameters<with_its_own>);
}

TEST_CASE("a composite computes what its children compute, and so does it in a Sequential") {
  torch::manual_seed(3);
  nn::module<stack> m;
  const auto x = torch::randn({5, 4});
  auto y = x;
  for (index_t i = 0; i < 3; ++i) {
    const auto& b = m->at<"block">()[i];
    y = y + at::linear(at::linear(y, b.at<"wi">().weight).relu(), b.at<"wo">().weight, b.at<"wo">().bias);
  }
  y = at::linear(y, m->at<"head">().weight, m->at<"head">().bias);
  CHECK(m->forward(x).equal(y));
  torch::nn::Sequential chain(m);
  CHECK(chain->forward(x).equal(y));
  torch::nn::AnyModule any(m);
  CHECK(any.forward(x).equal(y));
}

TEST_CASE("a sequential runs its children one after the other") {
  nn::module<nn::sequential<nn::child<"first", nn::linear<3, 5>>, nn::child<"second", nn::linear<5, 2>>>> m;
  const auto x = torch::randn({2, 7, 3});
  CHECK(m->forward(x).equal(m->at<"second">().forward(m->at<"first">().forward(x))));
}

TEST_CASE("a clone of a tree has its own children and draws nothing that it does not need") {
  nn::module<stack> m;
  m->at<"head">().bias.set_requires_grad(false);
  auto copy = cloned(m);
  const auto x = torch::randn({5, 4});
  CHECK(copy->forward(x).equal(m->forward(x)));
  CHECK_FALSE(copy->at<"head">().bias.requires_grad());
  {
    const torch::NoGradGuard quiet;
    for (auto& p : m->parameters()) p.zero_();
  }
  CHECK_FALSE(copy->forward(x).equal(m->forward(x)));
  CHECK(copy->at<"block">()[2].at<"wi">().weight.is_same(copy->named_parameters()["block.2.wi.weight"]));
}

TEST_CASE("cloning leaves the generator where it was") {
  nn::module<stack> m;
  torch::manual_seed(9);
  const auto next = torch::rand({3});
  torch::manual_seed(9);
  cloned(m);
  CHECK(torch::rand({3}).equal(next));
}

TEST_CASE("a tree that was saved in double comes back as its numbers, in the module's number type") {
  nn::module<stack> m, single, twice;
  m->to(torch::kDouble);
  twice->to(torch::kDouble);
  std::stringstream file;
  torch::save(m, file);
  const std::string bytes = file.str();
  for (auto* into : {&single, &twice}) {
    std::stringstream again(bytes);
    torch::load(*into, again);
  }
  const auto x = torch::randn({5, 4}, torch::kDouble);
  CHECK(twice->forward(x).equal(m->forward(x)));
  CHECK(single->at<"head">().weight.equal(m->at<"head">().weight.to(torch::kFloat)));
}

TEST_CASE("a checkpoint of a tree with the same children but another class is refused") {
  nn::module<stack> m;
  nn::module<other_stack> other;
  std::stringstream file;
  torch::save(m, file);
  CHECK_THROWS_WITH_AS(torch::load(other, file), doctest::Contains("belong to another module"), data_error);
}

TEST_CASE("extents that only the run knows come with prototypes, and nest") {
  using pair = nn::composite<nn::child<"a", loose>, nn::child<"b", nn::repeat<2, loose>>>;
  nn::module<pair> m(loose({.in = 3, .out = 5}), nn::repeat<2, loose>(loose({.in = 5, .out = 5})));
  CHECK(m->at<"a">().weight.sizes().vec() == std::vector<std::int64_t>{5, 3});
  CHECK(m->at<"b">()[1].weight.sizes().vec() == std::vector<std::int64_t>{5, 5});
  CHECK(cloned(m)->at<"b">()[1].weight.equal(m->at<"b">()[1].weight));
  CHECK_THROWS_WITH_AS(loose(nn::linear_extents{.in = 3}),
                       doctest::Contains("nothing says how large \"out\" is"), usage_error);
  CHECK_THROWS_WITH_AS((nn::linear<3, 4>(nn::linear_extents{.in = 5})),
                       doctest::Contains("\"in\" was given as 5, but the type fixes 3"), usage_error);
}

TEST_CASE("static and dynamic extents describe alike, and their files are interchangeable") {
  nn::module<nn::linear<3, 5>> fixed;
  nn::module<loose> free(nn::linear_extents{.in = 3, .out = 5});
  CHECK(fixed->describe() == free->describe());
  std::stringstream file;
  torch::save(fixed, file);
  torch::load(free, file);
  CHECK(free->weight.equal(fixed->weight));
}

TEST_CASE("a block that is asked for out of range is refused with the range") {
  nn::module<stack> m;
  CHECK_THROWS_WITH_AS(m->at<"block">()[3], doctest::Contains("layer 3 was asked for; there are 0 to 2"),
                       usage_error);
}

TEST_CASE("an input of another width is refused with both shapes") {
  nn::module<nn::linear<3, 5>> m;
  CHECK_THROWS_WITH_AS(m->forward(torch::zeros({2, 4})),
                       doctest::Contains("linear(in=3, out=5) was given an input of shape [2, 4]"),
                       usage_error);
}

TEST_CASE("without initialisation nothing is drawn") {
  torch::manual_seed(5);
  const auto next = torch::rand({2});
  torch::manual_seed(5);
  {
    const nn::without_initialisation none;
    nn::module<stack> m;
  }
  CHECK(torch::rand({2}).equal(next));
}

TEST_CASE("the printed tree has a line for each kind of child, with counts") {
  nn::module<stack> m;
  m->at<"head">().weight.set_requires_grad(false);
  const auto text = nn::tree(*m);
  CHECK(text.find("├─ block: 3 x feed_forward") != text.npos);
  CHECK(text.find("│  └─ 0 .. 2: feed_forward") != text.npos);
  CHECK(text.find("└─ head: linear(in=4, out=2)") != text.npos);
  CHECK(text.find("166         158") != text.npos);
}
