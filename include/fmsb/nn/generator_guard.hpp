#pragma once
#include "fmsb/nn/torch.hpp"  // tensor, at::Generator

#include <mutex>  // std::lock_guard

namespace fmsb::nn::detail {

/// Leaves LibTorch's CPU generator as it was found: what is drawn meanwhile changes nothing that follows.
class generator_guard {
 public:
  generator_guard() : generator_(at::globalContext().defaultGenerator(at::kCPU)) {
    const std::lock_guard lock(generator_.mutex());
    state_ = generator_.get_state();
  }
  ~generator_guard() {
    const std::lock_guard lock(generator_.mutex());
    generator_.set_state(state_);
  }
  generator_guard(const generator_guard&) = delete;
  generator_guard& operator=(const generator_guard&) = delete;

 private:
  at::Generator generator_;
  tensor state_;
};

}  // namespace fmsb::nn::detail
