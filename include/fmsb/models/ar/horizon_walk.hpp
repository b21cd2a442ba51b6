#pragma once
#include "fmsb/core/error.hpp"                // usage_error
#include "fmsb/core/isa.hpp"                  // isa::run
#include "fmsb/data/series.hpp"               // data::series
#include "fmsb/models/ar/horizon_errors.hpp"  // one_step_residuals, extend_errors_kernel
#include "fmsb/models/ar/model.hpp"           // model

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <utility>  // std::move
#include <vector>   // std::vector

namespace fmsb::ar {

/// The forecast errors of all channels together, one step after the other: what `for_each_horizon_error`
/// gives channel by channel. For statistics that pool channels, and for models whose residuals are made
/// elsewhere. Holds channels x (windows + horizon) errors.
class horizon_walk {
 public:
  /// @param residuals  for each channel the one-step residuals from the first target of the first window to
  /// the
  ///                   last target of the last: windows + psi.size() - 1 values
  /// @param psi        impulse response, one value a step
  /// @throws usage_error where a channel has another number of residuals
  horizon_walk(std::vector<std::vector<double>> residuals, std::vector<double> psi, std::size_t windows)
      : residuals_(std::move(residuals)), psi_(std::move(psi)), windows_(windows) {
    for (const auto& r : residuals_) {
      if (r.size() + 1 != windows + psi_.size())
        throw usage_error("fmsb::ar::horizon_walk: " + std::to_string(windows) + " windows of " +
                          std::to_string(psi_.size()) + " steps need " +
                          std::to_string(windows + psi_.size() - 1) + " residuals a channel; got " +
                          std::to_string(r.size()) + ".");
      errors_.emplace_back(r.size(), 0.0);
    }
  }

  /// Every stride-1 window of `context` inputs and `horizon` targets in `x`.
  /// @throws usage_error when the context is shorter than the model's memory or no window fits
  static horizon_walk of(const model& m, const data::series& x, std::size_t context, std::size_t horizon) {
    if (context < m.memory() || horizon == 0 || x.length() < context + horizon)
      throw usage_error("fmsb::ar::horizon_walk: " + std::to_string(x.length()) + " rows hold no window of " +
                        std::to_string(context) + " inputs, at least the " + std::to_string(m.memory()) +
                        " that the model reads, and " + std::to_string(horizon) + " targets.");
    std::vector<std::vector<double>> residuals;
    for (std::size_t c = 0; c < x.channels(); ++c)
      residuals.push_back(one_step_residuals(m, x.channel(c).subspan(context - m.memory())));
    return {std::move(residuals), impulse_response(m, horizon), x.length() - context - horizon + 1};
  }

  /// Goes to the next step; false after the last.
  bool advance() {
    if (step_ == psi_.size()) return false;
    for (std::size_t c = 0; c < errors_.size(); ++c)
      isa::run<detail::extend_errors_kernel>(errors_[c].data() + step_,
                                             static_cast<const double*>(residuals_[c].data()),
                                             errors_[c].size() - step_, psi_[step_]);
    ++step_;
    return true;
  }

  std::size_t channels() const { return errors_.size(); }
  std::size_t windows() const { return windows_; }
  /// The step whose errors are there, from 1; 0 before the first `advance`.
  std::size_t step() const { return step_; }
  /// One error a window.
  std::span<const double> errors(std::size_t channel) const {
    return std::span(errors_.at(channel)).subspan(step_ - 1, windows_);
  }

 private:
  std::vector<std::vector<double>> residuals_, errors_;
  std::vector<double> psi_;
  std::size_t windows_;
  std::size_t step_ = 0;
};

}  // namespace fmsb::ar
