#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor: the light door

#include <ATen/core/grad_mode.h>                  // at::NoGradGuard
#include <torch/csrc/autograd/function.h>         // torch::autograd::Node, deleteNode
#include <torch/csrc/autograd/functions/utils.h>  // torch::autograd::set_history
#include <torch/csrc/autograd/saved_variable.h>   // torch::autograd::SavedVariable

#include <algorithm>         // std::any_of
#include <array>             // std::array
#include <cstddef>           // std::size_t
#include <initializer_list>  // std::initializer_list
#include <memory>            // std::shared_ptr
#include <mutex>             // std::lock_guard
#include <string>            // std::to_string
#include <utility>           // std::forward
#include <vector>            // std::vector

namespace fmsb::nn {

/// One node of autograd's graph: a computation with one output whose gradients are written by hand.
///
/// A class that derives from it calls `keep` in its forward pass and writes `gradients`; `apply_operation`
/// runs it. Gradients written in differentiable operators have derivatives themselves.
///
/// It stands on torch::autograd::Node, as LibTorch's own operators do. torch::autograd::Function, made for
/// Python's style, boxes every argument: a translation unit with one such function takes 3 s longer and a
/// call 2 us longer.
class operation : public torch::autograd::Node {
 public:
  void release_variables() final {
    const std::lock_guard lock(mutex_);
    for (auto& x : kept_) x.reset_data();
  }

 protected:
  /// @param gradient  of the output, and of its shape
  /// @return one for each input of `apply_operation`, in their order; undefined where `!wants(input)`
  virtual std::vector<tensor> gradients(const tensor& gradient) = 0;

  /// Whether anybody asked for the gradient of this input.
  bool wants(std::size_t input) const { return task_should_compute_output(input); }

  /// For the forward pass: what the backward pass will read. None of it may be the output. Changed in place
  /// before then, it is an error there.
  void keep(std::initializer_list<tensor> values) {
    if (!recorded_) return;
    kept_.reserve(values.size());
    for (const auto& x : values) kept_.emplace_back(x, /*is_output=*/false);
  }

  /// For the backward pass: the first `Count` of what was kept. What is an input has its history again; what
  /// forward computed has none.
  template <std::size_t Count>
  std::array<tensor, Count> kept() {
    const std::lock_guard lock(mutex_);
    std::array<tensor, Count> values;
    for (std::size_t i = 0; i < Count; ++i) values[i] = kept_.at(i).unpack();
    return values;
  }

 private:
  template <class Operation, class Forward>
  friend tensor apply_operation(std::shared_ptr<Operation> made, std::initializer_list<tensor> inputs,
                                Forward&& forward);

  std::vector<tensor> apply(std::vector<tensor>&& outputs) final {
    if (!outputs[0].defined()) return std::vector<tensor>(num_outputs());  // nobody used the output
    return gradients(outputs[0]);
  }

  /// Whether a gradient will be wanted: only then is there anything to keep.
  void link(std::initializer_list<tensor> inputs) {
    recorded_ = at::GradMode::is_enabled() &&
                std::any_of(inputs.begin(), inputs.end(), [](const tensor& x) { return x.requires_grad(); });
    if (!recorded_) return;
    for (const auto& x : inputs) add_next_edge(torch::autograd::impl::gradient_edge(x));
  }

  std::vector<torch::autograd::SavedVariable> kept_;
  bool recorded_ = false;
};

/// A node for `apply_operation`. Long chains of nodes are freed one after the other, not recursively.
template <class Operation, class... Arguments>
std::shared_ptr<Operation> make_operation(Arguments&&... arguments) {
  return {new Operation(std::forward<Arguments>(arguments)...), torch::autograd::deleteNode};
}

/// Runs `forward(node)`, which records nothing itself, and makes the node its history where gradients are on
/// and one of the inputs takes part in them.
///
///     apply_operation(make_operation<low_rank_rows>(scale), {x, a, b},
///                     [&](auto& node) { return node.forward(x, weight, bias, a, b); });
///
/// @param inputs  defined tensors, in the order of the node's `gradients`
/// @return what `forward` returned: a tensor that is none of the inputs, nor a view of one
template <class Operation, class Forward>
tensor apply_operation(std::shared_ptr<Operation> made, std::initializer_list<tensor> inputs,
                       Forward&& forward) {
  operation& node = *made;
  node.link(inputs);
  tensor y;
  {
    const at::NoGradGuard no_gradient;
    y = forward(*made);
  }
  if (node.recorded_) torch::autograd::set_history(y, made);
  return y;
}

}  // namespace fmsb::nn
