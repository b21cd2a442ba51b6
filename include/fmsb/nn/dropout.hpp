#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/extent.hpp"       // index_t
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/dropped.hpp"        // dropped
#include "fmsb/nn/layer.hpp"          // layer

#include <string>  // std::string

namespace fmsb::nn {

/// For `dropout`: the rate is given when the layer is built.
inline constexpr double run_time_rate = -1;

/// When training, sets each number to zero with probability `rate` and divides the others by 1 - rate, so
/// that the mean stays; in eval mode the identity (Srivastava et al., "Dropout", JMLR 15, 2014). Draws from
/// LibTorch's generator. Registers nothing.
///
/// @tparam Rate  from 0 up to, but not including, 1; or `run_time_rate`
template <double Rate = run_time_rate>
class dropout : public layer {
  static_assert(Rate == run_time_rate || (Rate >= 0 && Rate < 1),
                "fmsb::nn::dropout requires a rate from 0 up to, but not including, 1");

 public:
  using plain = dropout;
  static constexpr index_t parameter_count = 0;
  static constexpr index_t multiply_adds = 0;
  static constexpr index_t receptive_field = 1;

  dropout() requires(Rate != run_time_rate) = default;
  /// @throws usage_error if the rate is out of range, or not the one of the type
  explicit dropout(double rate) : rate_(rate) {
    if (!(rate >= 0 && rate < 1) || (Rate != run_time_rate && rate != Rate))
      throw usage_error("fmsb::nn::dropout: the rate was given as " + number_text(rate) + ", but " +
                        (Rate == run_time_rate
                             ? "a rate is from 0 up to, but not including, 1."
                             : "the type fixes " + number_text(Rate) + ". Use dropout<>, which takes any."));
  }

  void reset() override {}

  double rate() const { return rate_; }

  /// @param x  any shape
  /// @return the same shape
  tensor forward(const tensor& x) const { return is_training() ? dropped(x, rate_) : x; }

  std::string describe() const override { return "dropout(rate=" + number_text(rate_) + ")"; }

 private:
  double rate_ = Rate;
};

}  // namespace fmsb::nn
