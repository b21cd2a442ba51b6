#include "fmsb/nn/module.hpp"

#include "fmsb/core/extent.hpp"  // index_t

#include "support/property.hpp"

#include <torch/nn/modules/container/any.h>         // torch::nn::AnyModule
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential
#include <torch/nn/modules/linear.h>                // torch::nn::Linear

#include <concepts>  // std::constructible_from
#include <sstream>   // std::stringstream
#include <string>    // std::string
#include <vector>    // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

tensor full(index_t size, double value) { return torch::full({size}, value, torch::kDouble); }

/// A layer with a parameter and a buffer, a const forward and no words about itself.
template <index_t Size>
struct scaling : nn::layer {
  tensor factor, seen;
  double start;

  explicit scaling(double first = 1) : start(first) {}
  void reset() override {
    factor = register_parameter("factor", full(Size, start));
    seen = register_buffer("seen", full(1, 0));
  }
  tensor forward(const tensor& x) const { return x * factor; }
};

/// Run-time extents that the type does not tell.
struct vague : nn::layer {
  index_t size;
  tensor weight;
  explicit vague(index_t extent) : size(extent) {}
  void reset() override { weight = register_parameter("weight", full(size, 0)); }
  tensor forward(const tensor& x) { return x + weight; }
};

/// A mixin: whatever Base is, and a shift.
template <class Base>
struct shifted : Base {
  tensor shift;
  using Base::Base;
  void reset() override {
    Base::reset();
    shift = this->register_parameter("shift", full(1, 0));
  }
  tensor forward(const tensor& x) const { return Base::forward(x) + shift; }
  std::string describe() const override { return Base::describe() + " with a shift"; }
};

/// Children of three kinds: one of ours, one of LibTorch's, and a list whose length only the run knows.
struct block : nn::layer {
  nn::module<scaling<3>> inner{nullptr};
  torch::nn::Linear outer{nullptr};
  torch::nn::Sequential list{nullptr};
  void reset() override {
    inner = nn::module<scaling<3>>(2.0);
    register_module("inner", inner);
    outer = register_module("outer", torch::nn::Linear(3, 2));
    outer->to(torch::kDouble);
    list = register_module("list", torch::nn::Sequential());
  }
  tensor forward(const tensor& x) { return outer(inner(x)); }
};

/// A module in LibTorch's own manner, with one of ours inside.
struct HostImpl : torch::nn::Cloneable<HostImpl> {
  nn::module<shifted<scaling<3>>> guest{nullptr};
  HostImpl() { build(); }
  void reset() override { build(); }

 private:
  void build() {
    guest = nn::module<shifted<scaling<3>>>();
    register_module("guest", guest);
  }
};
TORCH_MODULE(Host);

template <class Holder>
Holder cloned(const Holder& m) {
  return Holder(std::dynamic_pointer_cast<typename Holder::ContainedType>(m->clone()));
}

template <class From, class Into>
void copy_through_a_file(const From& from, Into& into) {
  std::stringstream file;
  torch::save(from, file);
  torch::load(into, file);
}

static_assert(nn::layer_type<scaling<3>> && nn::layer_type<shifted<block>>);
static_assert(!nn::layer_type<torch::nn::LinearImpl> && !nn::layer_type<nn::concrete<scaling<3>>>);
static_assert(std::constructible_from<nn::concrete<scaling<3>>, double>);
static_assert(
    !std::constructible_from<nn::concrete<scaling<3>>, const scaling<3>&>);  // it would lose numbers
static_assert(!std::copy_constructible<nn::concrete<scaling<3>>>);           // clone() copies

std::vector<std::string> names_of(const torch::nn::Module& m) { return m.named_parameters().keys(); }

}  // namespace

TEST_CASE("a module is built once, by the outermost reset, and its names are the registered ones") {
  nn::module<shifted<scaling<3>>> m(2.0);
  CHECK(names_of(*m) == std::vector<std::string>{"factor", "shift"});
  CHECK(m->named_buffers().keys() == std::vector<std::string>{"seen"});
  CHECK(m->factor.equal(full(3, 2)));
  CHECK(m->factor.requires_grad());
}

TEST_CASE("the holder behaves as LibTorch's own") {
  nn::module<scaling<3>> empty{nullptr};
  CHECK(empty.is_empty());
  CHECK_FALSE(static_cast<bool>(empty));
  CHECK_THROWS_AS(empty->factor.zero_(), c10::Error);

  nn::module<scaling<3>> m;
  const nn::module<scaling<3>> shared = m;
  CHECK(shared.ptr() == m.ptr());
  const nn::module<scaling<3>> from_pointer = m.ptr();
  CHECK(from_pointer.ptr() == m.ptr());
  CHECK(m(full(3, 1)).equal(full(3, 1)));
  std::ostringstream text;
  text << m;
  CHECK(text.str() == m->describe());
}

TEST_CASE("a layer with a const forward stands in AnyModule and Sequential, and is found there again") {
  nn::module<scaling<3>> first(2.0);
  nn::module<shifted<scaling<3>>> second(3.0);
  torch::nn::AnyModule any(first);
  CHECK(any.forward(full(3, 1)).equal(full(3, 2)));
  CHECK(any.get<nn::concrete<scaling<3>>>().factor.is_same(first->factor));

  torch::nn::Sequential chain(first, second);
  CHECK(chain->forward(full(3, 1)).equal(full(3, 6)));
  CHECK(names_of(*chain) == std::vector<std::string>{"0.factor", "1.factor", "1.shift"});
}

TEST_CASE("a clone shares nothing with its original") {
  nn::module<shifted<scaling<3>>> m(2.0);
  const auto copy = cloned(m);
  REQUIRE(copy.ptr() != nullptr);
  {
    const torch::NoGradGuard quiet;
    m->factor.fill_(7);
    m->seen.fill_(7);
    m->shift.fill_(7);
  }
  CHECK(copy->factor.equal(full(3, 2)));
  CHECK(copy->seen.equal(full(1, 0)));
  CHECK(copy->shift.equal(full(1, 0)));
  CHECK(copy->factor.is_same(copy->named_parameters()["factor"]));
  CHECK(copy->seen.is_same(copy->named_buffers()["seen"]));
}

TEST_CASE("a clone keeps values, number type, mode and what is frozen") {
  nn::module<shifted<scaling<3>>> m(2.0);
  {
    const torch::NoGradGuard quiet;
    m->factor.fill_(5);
    m->seen.fill_(6);
  }
  m->to(torch::kFloat);
  m->eval();
  m->factor.set_requires_grad(false);
  const auto copy = cloned(m);
  CHECK(copy->factor.equal(torch::full({3}, 5.0F)));
  CHECK(copy->seen.equal(torch::full({1}, 6.0F)));
  CHECK_FALSE(copy->is_training());
  CHECK_FALSE(copy->factor.requires_grad());
  CHECK(copy->shift.requires_grad());
  CHECK(copy->fingerprint() == m->fingerprint());
}

TEST_CASE("a clone's children are its own, reached by name and by member alike") {
  nn::module<block> m;
  m->list->push_back(torch::nn::Linear(2, 2));
  m->outer->weight.set_requires_grad(false);
  m->inner->eval();
  const auto copy = cloned(m);
  CHECK(names_of(*copy) == names_of(*m));
  for (const auto& item : m->named_parameters()) {
    const tensor other = copy->named_parameters()[item.key()];
    CHECK(other.equal(*item));
    CHECK_FALSE(other.data_ptr() == item->data_ptr());
    CHECK(other.requires_grad() == item->requires_grad());
  }
  CHECK(copy->list->size() == 1);
  CHECK_FALSE(copy->inner->is_training());
  CHECK(copy->outer->is_training());
  CHECK(copy->inner->factor.is_same(copy->named_parameters()["inner.factor"]));
  CHECK(copy->outer->weight.is_same(copy->named_parameters()["outer.weight"]));
  CHECK(copy->inner.ptr() == copy->named_children()["inner"]);
}

TEST_CASE("a LibTorch module clones the modules of ours that it holds") {
  Host host;
  const torch::NoGradGuard quiet;
  host->guest->factor.fill_(4);
  const auto copy = cloned(host);
  host->guest->factor.zero_();
  CHECK(copy->guest->factor.equal(full(3, 4)));
  CHECK(copy->guest->factor.is_same(copy->named_parameters()["guest.factor"]));

  torch::nn::Sequential chain(nn::module<scaling<3>>(2.0));
  const auto twin = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(chain->clone());
  chain->parameters()[0].zero_();
  CHECK(twin->forward(full(3, 1)).equal(full(3, 2)));
}

TEST_CASE("a layer that registers outside reset is refused on cloning, with a sentence") {
  nn::module<scaling<3>> m;
  m->register_parameter("late", torch::zeros({1}));
  CHECK_THROWS_WITH_AS(
      m->clone(), doctest::Contains("the parameters [factor, late], but its reset() registered [factor]."),
      usage_error);
}

TEST_CASE("a saved module comes back with its numbers, its seed, and through containers") {
  torch::manual_seed(7);
  nn::module<block> m;
  torch::manual_seed(8);
  nn::module<block> other;
  CHECK(m->fingerprint().seed == 7);
  CHECK_FALSE(other->outer->weight.equal(m->outer->weight));
  copy_through_a_file(m, other);
  for (const auto& item : m->named_parameters()) CHECK(other->named_parameters()[item.key()].equal(*item));
  CHECK(other->fingerprint().seed == 7);

  torch::nn::Sequential chain(nn::module<scaling<3>>(2.0)), filled(nn::module<scaling<3>>(5.0));
  copy_through_a_file(chain, filled);
  CHECK(filled->parameters()[0].equal(full(3, 2)));
}

TEST_CASE("a file of another type is refused before a number changes, and both fingerprints are told") {
  torch::manual_seed(7);
  nn::module<scaling<3>> three(3.0);
  nn::module<scaling<5>> five(5.0);
  nn::module<shifted<scaling<3>>> mixed(4.0);
  const std::string of_three = three->fingerprint().text(), of_five = five->fingerprint().text();
  CHECK(of_three.ends_with("scaling<3l>; fmsb " + std::string(version) + "; seed 7"));
  CHECK(mixed->describe().ends_with("shifted<(anonymous namespace)::scaling<3l>> with a shift"));

  const std::string told = "The file says \"" + of_three + "\", the module is \"" + of_five + "\".";
  CHECK_THROWS_WITH_AS(copy_through_a_file(three, five), doctest::Contains(told.c_str()), data_error);
  CHECK_THROWS_AS(copy_through_a_file(three, mixed), data_error);
  CHECK_THROWS_AS(copy_through_a_file(mixed, three), data_error);
  CHECK(five->factor.equal(full(5, 5)));
  CHECK(mixed->factor.equal(full(3, 4)));

  torch::nn::Sequential outside(three), inside(five);
  CHECK_THROWS_AS(copy_through_a_file(outside, inside), data_error);

  torch::nn::Linear plain(3, 3);
  CHECK_THROWS_WITH_AS(copy_through_a_file(plain, three), doctest::Contains("not a module of fmsb"),
                       data_error);
}

TEST_CASE("a shape that the fingerprint does not tell is refused by name") {
  nn::module<vague> three(3), four(4);
  CHECK(three->describe() == four->describe());
  CHECK_THROWS_WITH_AS(copy_through_a_file(three, four),
                       doctest::Contains("The saved \"weight\" has the shape [3], but \"weight\" of"),
                       data_error);
  CHECK(four->weight.equal(full(4, 0)));
}

TEST_CASE("a fingerprint's text is read back as it was written") {
  CHECK(test::holds("parse inverts text", [](const std::string& structure, std::uint64_t seed) {
    const nn::module_fingerprint written{.structure = structure, .seed = seed};
    RC_ASSERT(nn::module_fingerprint::parse(written.text()) == written);
  }));
  for (const char* text : {"", "linear", "linear; fmsb 0.1.0", "linear; fmsb 0.1.0; seed x", "; seed 3",
                           "linear; fmsb 0.1.0; seed 3 ", "linear; seed 3; fmsb 0.1.0"})
    CHECK_FALSE(nn::module_fingerprint::parse(text).has_value());
}

TEST_CASE("an older library's file is accepted, a newer one's refused") {
  const nn::module_fingerprint here{.structure = "linear", .version = "0.10.0", .seed = 1};
  CHECK(nn::require_loadable("linear; fmsb 0.9.9; seed 5", here).seed == 5);
  CHECK(nn::require_loadable("linear; fmsb 0.10.0; seed 6", here).seed == 6);
  for (const char* newer :
       {"linear; fmsb 0.10.1; seed 5", "linear; fmsb 0.11.0; seed 5", "linear; fmsb 1.0; seed 5"})
    CHECK_THROWS_WITH_AS(nn::require_loadable(newer, here), doctest::Contains("newer fmsb"), data_error);
}
