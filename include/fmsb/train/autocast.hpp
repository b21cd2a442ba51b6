#pragma once
#include "fmsb/nn/torch.hpp"       // LibTorch's device types
#include "fmsb/train/options.hpp"  // precision

#include <ATen/autocast_mode.h>  // at::autocast

namespace fmsb::train {

/// While one lives, operations of this thread on the device run in bfloat16 where LibTorch's autocast knows
/// them to bear it; nothing with precision::as_is. Around the loss, not around backward.
class autocast {
 public:
  autocast(precision wanted, at::DeviceType device) : wanted_(wanted), device_(device) {
    if (wanted_ == precision::as_is) return;
    was_on_ = at::autocast::is_autocast_enabled(device_);
    was_type_ = at::autocast::get_autocast_dtype(device_);
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  }
  autocast(const autocast&) = delete;
  autocast& operator=(const autocast&) = delete;
  ~autocast() {
    if (wanted_ == precision::as_is) return;
    // Weights are kept in bfloat16 while autocast lasts; they are about to change.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_on_);
    at::autocast::set_autocast_dtype(device_, was_type_);
  }

 private:
  precision wanted_;
  at::DeviceType device_;
  bool was_on_ = false;
  at::ScalarType was_type_ = at::kBFloat16;
};

}  // namespace fmsb::train
