#include "fmsb/nn/operation.hpp"  // operation, apply_operation

#include "support/message.hpp"  // message_of

#include <ATen/ops/full.h>                 // at::full
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <memory>  // std::shared_ptr
#include <string>  // std::string
#include <vector>  // std::vector

#include "support/doctest.hpp"  // last: it undoes LibTorch's CHECK

using namespace fmsb;

namespace {

/// x y^2, which remembers whose gradients were asked for.
struct times_square final : nn::operation {
  std::shared_ptr<std::vector<bool>> asked = std::make_shared<std::vector<bool>>();

  tensor forward(const tensor& x, const tensor& y) {
    keep({x, y});
    return x * y * y;
  }
  std::vector<tensor> gradients(const tensor& gradient) override {
    const auto [x, y] = kept<2>();
    *asked = {wants(0), wants(1)};
    return {wants(0) ? gradient * y * y : tensor(), wants(1) ? gradient * x * y * 2 : tensor()};
  }
};

tensor product(const tensor& x, const tensor& y, std::shared_ptr<std::vector<bool>> asked = {}) {
  const auto made = nn::make_operation<times_square>();
  if (asked) made->asked = asked;
  return nn::apply_operation(made, {x, y}, [&](auto& node) { return node.forward(x, y); });
}

tensor number(double value, bool trains = true) {
  return at::full({2}, value, at::kDouble).requires_grad_(trains);
}

double first(const tensor& x) { return x[0].item<double>(); }

}  // namespace

TEST_CASE("an operation has the gradients that it writes, and those have gradients") {
  const auto x = number(3), y = number(5);
  const auto slope = torch::autograd::grad({product(x, y).sum()}, {x, y}, {}, /*retain_graph=*/true,
                                           /*create_graph=*/true);
  CHECK(first(slope[0]) == 25);
  CHECK(first(slope[1]) == 30);
  const auto second = torch::autograd::grad({slope[1].sum()}, {x, y});
  CHECK(first(second[0]) == 10);
  CHECK(first(second[1]) == 6);
}

TEST_CASE("an operation knows whose gradients nobody asked for") {
  const auto asked = std::make_shared<std::vector<bool>>();
  const auto x = number(3), y = number(5, false);
  product(x, y, asked).sum().backward();
  CHECK(*asked == std::vector<bool>{true, false});
  CHECK(first(x.grad()) == 25);

  const auto z = number(5);
  torch::autograd::grad({product(x, z, asked).sum()}, {z});
  CHECK(*asked == std::vector<bool>{false, true});
}

TEST_CASE("an operation leaves no graph where gradients are off or nothing trains") {
  CHECK_FALSE(product(number(3, false), number(5, false)).requires_grad());
  const at::NoGradGuard off;
  CHECK_FALSE(product(number(3), number(5)).requires_grad());
}

TEST_CASE("what an operation kept may not change before the backward pass, and is freed by it") {
  const auto x = number(3), y = number(5);
  const auto shifted = y * 1;
  const auto loss = product(x, shifted).sum();
  shifted.add_(1);
  CHECK(test::message_of<c10::Error>([&] { loss.backward(); }).find("modified by an inplace") !=
        std::string::npos);

  const auto again = product(x, y).sum();
  again.backward();
  CHECK(test::message_of<c10::Error>([&] { again.backward(); }).find("second time") != std::string::npos);
}

TEST_CASE("a chain of 200,000 operations is freed without a deep stack") {
  auto y = number(1);
  const auto one = number(1, false);
  for (int i = 0; i < 200'000; ++i) y = product(y, one);
  CHECK(first(y) == 1);
  y.reset();  // would end the process
}
