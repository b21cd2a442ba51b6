#pragma once
#include "fmsb/core/error.hpp"                  // usage_error, data_error
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/core/number_text.hpp"            // number_text
#include "fmsb/models/floors/class_scores.hpp"  // label_tensor, predictions
#include "fmsb/models/floors/lbfgs.hpp"         // minimise
#include "fmsb/models/floors/standardise.hpp"   // standardise
#include "fmsb/nn/tensor.hpp"                   // tensor

#include <ATen/ops/log_softmax.h>  // at::log_softmax

#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <string>   // std::to_string
#include <vector>   // std::vector

namespace fmsb::models {

struct logistic_options {
  double l2 = 0.1;          ///< strength of the penalty l2/2 |weights|^2 beside the mean loss
  double tolerance = 1e-6;  ///< how far above its minimum the objective may end, in nats
  int most_steps = 1000;
};

/// Multinomial logistic regression: the weights W, with an intercept among them, that minimise
/// mean(-ln softmax(x W)[label]) + l2/2 |W|^2 over standardised features x.
///
/// The objective is strongly convex, for the intercept is penalised too, so its excess over the minimum is at
/// most |gradient|^2 / (2 l2): L-BFGS goes on until that is below the tolerance, a proof of convergence.
/// Source of the bound: Boyd and Vandenberghe, "Convex Optimization", 2004, equation 9.9.
class logistic_regression {
 public:
  /// @throws usage_error unless strength, tolerance and steps are positive
  explicit logistic_regression(logistic_options options = {}) : options_(options) {
    if (!(options.l2 > 0 && options.tolerance > 0) || options.most_steps < 1)
      throw usage_error("logistic_regression: l2 " + number_text(options.l2) + ", tolerance " +
                        number_text(options.tolerance) + " and " + std::to_string(options.most_steps) +
                        " steps were given; all must be positive.");
  }

  /// Computes in double, for floats end a descent early.
  /// @param features  [examples, features], float or double
  /// @param labels    [examples], classes from 0
  /// @throws usage_error where the extents do not fit or a label is no class; data_error for numbers that are
  /// not finite, and where the steps do not suffice
  void fit(const tensor& features, std::span<const int> labels, std::size_t classes) {
    detail::require_examples("logistic_regression", features, labels.size());
    const auto of = detail::label_tensor("logistic_regression", labels, classes).unsqueeze(1);
    auto x = features.detach().to(at::kDouble, /*non_blocking=*/false, /*copy=*/true).contiguous();
    const auto scales = standardise(x);
    x = at::cat({x, at::ones({x.size(0), 1}, x.options())}, 1);
    const double share = 1.0 / static_cast<double>(x.size(0));
    // Products with the few columns to the left: LibTorch's take a tenth of the time of those to the right.
    const auto loss = [&](const tensor& w, tensor& gradient) {
      const auto logarithms = at::log_softmax(at::mm(w.t(), x.t()).t(), 1);
      auto excess = logarithms.exp();
      excess.scatter_add_(1, of, at::full(of.sizes(), -1.0, x.options()));
      gradient = at::mm(excess.t(), x).t().mul_(share).add_(w, options_.l2);
      return -logarithms.gather(1, of).sum().item<double>() * share +
             options_.l2 / 2 * w.square().sum().item<double>();
    };
    const auto zero = at::zeros({x.size(1), static_cast<index_t>(classes)}, x.options());
    const auto found = minimise(
        zero, loss, [&](double norm) { return norm * norm / (2 * options_.l2) <= options_.tolerance; },
        options_.most_steps);
    if (!found.converged)
      throw data_error("logistic_regression: after " + std::to_string(found.steps) +
                       " steps the gradient's norm is still " + number_text(found.gradient_norm) +
                       "; allow more steps or a higher tolerance.");
    steps_ = found.steps;
    objective_ = found.value;
    const auto weights = found.at.slice(0, 0, -1) * scales.inverse.unsqueeze(1);
    intercept_ = (found.at.select(0, -1) - at::mv(weights.t(), scales.mean)).to(features.scalar_type());
    weights_ = weights.to(features.scalar_type());
  }

  /// [examples, classes]: logarithms of probabilities.
  /// @throws usage_error before `fit`, and for another number or type of features
  tensor scores(const tensor& features) const {
    detail::require_features("logistic_regression", features, weights_);
    return at::log_softmax(at::addmm(intercept_, features, weights_), 1);
  }
  tensor probabilities(const tensor& features) const { return scores(features).exp_(); }
  /// The most probable class of each example.
  std::vector<int> predict(const tensor& features) const { return detail::predictions(scores(features)); }

  double objective() const { return objective_; }  ///< at the end of the fit, in nats
  int steps() const { return steps_; }

 private:
  logistic_options options_;
  double objective_ = 0;
  int steps_ = 0;
  tensor weights_, intercept_;  // of features as they are given
};

}  // namespace fmsb::models
