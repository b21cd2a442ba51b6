#pragma once
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text

#include <algorithm>   // std::is_sorted, std::upper_bound, std::min, std::max
#include <cmath>       // std::cos, std::pow
#include <concepts>    // std::convertible_to
#include <cstdint>     // std::uint64_t
#include <functional>  // std::function
#include <numbers>     // std::numbers::pi
#include <string>      // std::string
#include <utility>     // std::move
#include <vector>      // std::vector

/// Learning rates over time. A schedule gives a factor for each optimiser step, counted from 0, by which the
/// rate of every parameter group is multiplied. With a warm-up of w steps the factor of step s < w is s / w:
/// it begins at 0, as in Python's transformers, whose formulas these are.
namespace fmsb::train {

namespace detail {

inline double share(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<std::uint64_t>(1, whole));
}

/// How much of what follows the warm-up is done, from 0 to 1.
inline double done_after(std::uint64_t warm_up, std::uint64_t step, std::uint64_t total) {
  return total <= warm_up ? 1 : std::min(1.0, share(step - warm_up, total - warm_up));
}

inline std::string warm_up_text(std::uint64_t warm_up) {
  return warm_up == 0 ? "" : "warm_up=" + std::to_string(warm_up);
}

}  // namespace detail

/// 1 after the warm-up.
struct constant_rate {
  std::uint64_t warm_up = 0;

  double operator()(std::uint64_t step, std::uint64_t) const {
    return step < warm_up ? detail::share(step, warm_up) : 1;
  }
  std::string describe() const { return "constant(" + detail::warm_up_text(warm_up) + ")"; }
};

/// Falls in a line from 1 after the warm-up to 0 after the last step.
struct linear_rate {
  std::uint64_t warm_up = 0;

  double operator()(std::uint64_t step, std::uint64_t total) const {
    return step < warm_up ? detail::share(step, warm_up) : 1 - detail::done_after(warm_up, step, total);
  }
  std::string describe() const { return "linear(" + detail::warm_up_text(warm_up) + ")"; }
};

/// (1 + cos(pi t)) / 2, t from 0 after the warm-up to 1 after the last step (Loshchilov and Hutter, "SGDR",
/// ICLR 2017, eq. 5, without restarts).
struct cosine_rate {
  std::uint64_t warm_up = 0;

  double operator()(std::uint64_t step, std::uint64_t total) const {
    if (step < warm_up) return detail::share(step, warm_up);
    return 0.5 * (1 + std::cos(std::numbers::pi * detail::done_after(warm_up, step, total)));
  }
  std::string describe() const { return "cosine(" + detail::warm_up_text(warm_up) + ")"; }
};

/// gamma^k after k of the milestones; a milestone is the first step of the lower rate.
struct stepped_rate {
  std::vector<std::uint64_t> milestones{};  ///< in rising order
  double gamma = 0.1;
  std::uint64_t warm_up = 0;

  double operator()(std::uint64_t step, std::uint64_t) const {
    if (step < warm_up) return detail::share(step, warm_up);
    const auto passed = std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin();
    return std::pow(gamma, static_cast<double>(passed));
  }
  std::string describe() const {
    std::string text = "stepped(milestones=";
    for (const auto at : milestones) text += (text.back() == '=' ? "" : "+") + std::to_string(at);
    text += ", gamma=" + number_text(gamma);
    return text + (warm_up == 0 ? "" : ", ") + detail::warm_up_text(warm_up) + ")";
  }
};

/// What gives a factor for (step, steps in all) and says in a text what it is. The text goes into a
/// training's fingerprint, so it holds every number that matters.
template <class T>
concept rate_shape = requires(const T& shape, std::uint64_t step) {
  { shape(step, step) } -> std::convertible_to<double>;
  { shape.describe() } -> std::convertible_to<std::string>;
};

/// Any of the above, or a shape of one's own.
class schedule {
 public:
  schedule() : schedule(constant_rate{}) {}

  /// @throws usage_error if the milestones of a stepped_rate do not rise
  template <rate_shape Shape>
  schedule(Shape shape) : text_(shape.describe()) {  // NOLINT: a shape is a schedule
    if constexpr (requires { shape.milestones; })
      if (!std::is_sorted(shape.milestones.begin(), shape.milestones.end()))
        throw usage_error("fmsb::train::stepped_rate: the milestones of " + text_ +
                          " do not rise; give the steps at which the rate falls from the first to the last.");
    factor_ = std::move(shape);
  }

  /// @param step   the optimiser step, from 0
  /// @param total  steps of the whole training
  double operator()(std::uint64_t step, std::uint64_t total) const { return factor_(step, total); }
  const std::string& describe() const { return text_; }

 private:
  std::function<double(std::uint64_t, std::uint64_t)> factor_;
  std::string text_;
};

/// A schedule whose steps are epochs: the factor is that of the epoch to which a step belongs.
struct by_epoch {
  schedule of_epochs{};
  std::uint64_t steps_an_epoch = 1;
  std::uint64_t epochs = 1;  ///< the schedule's total

  double operator()(std::uint64_t step, std::uint64_t) const {
    return of_epochs(step / steps_an_epoch, epochs);
  }
  std::string describe() const {
    return of_epochs.describe() + " over " + std::to_string(epochs) + " epochs of " +
           std::to_string(steps_an_epoch) + " steps";
  }
};

}  // namespace fmsb::train
