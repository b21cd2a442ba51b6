#pragma once
#include "fmsb/core/error.hpp"               // usage_error
#include "fmsb/core/extent.hpp"              // chosen_extent, extent, dynamic, index_t
#include "fmsb/models/ar/model.hpp"          // ar::model
#include "fmsb/models/forecast_weights.hpp"  // forecast_weights
#include "fmsb/nn/layer.hpp"                 // nn::layer

#include <string>  // std::to_string
#include <vector>  // std::vector

namespace fmsb::models {

/// Run-time extents of an autoregression. What the type fixes may stay `dynamic` here.
struct autoregression_extents {
  index_t lags = dynamic;
  index_t differencing = dynamic;
  index_t horizon = dynamic;
};

/// Autoregression pooled over channels, on values differenced `Differencing` times, as a layer that
/// trains:
///
///     y(t) = intercept + sum_{i=1..Lags} lags[i-1] y(t-i) + error,   y = (1 - B)^Differencing x
///
/// `forward` takes levels x [batch, channels, context] and returns levels [batch, channels, horizon]. The
/// differencing is folded into the coefficients, phi*(B) = phi(B) (1 - B)^Differencing (Box, Jenkins et
/// al., Time Series Analysis, 4.1), and the iteration over the horizon into one matrix
/// (`forecast_weights`), so a forecast of any length is one product with the last Lags + Differencing
/// levels, differentiable in the parameters and in x.
///
/// Registers the parameters `lags` [Lags], lag 1 first, and `intercept` [1], in double. They start at the
/// numbers of the fitted model, or at zero: the forecast is then 0, the last value or the last slope for
/// differencing 0, 1 and 2.
///
/// @tparam Lags          order p from 0, or `dynamic`; Lags + Differencing is at least 1
/// @tparam Differencing  d from 0, or `dynamic`
/// @tparam Horizon       steps that `forward` returns, from 1, or `dynamic`
template <index_t Lags = dynamic, index_t Differencing = dynamic, index_t Horizon = 1>
class autoregression : public nn::layer {
  static_assert(Lags + Differencing != 0 || Lags == dynamic || Differencing == dynamic,
                "fmsb::models::autoregression<P, D> requires P + D of at least 1: a forecast needs a level "
                "to start from");
  static_assert(Horizon != 0, "fmsb::models::autoregression<P, D, H> requires a horizon H of at least 1");
  static constexpr bool is_static = Lags != dynamic && Differencing != dynamic && Horizon != dynamic;

 public:
  using extents = autoregression_extents;

  /// Trainable numbers, or `dynamic`.
  static constexpr index_t parameter_count = Lags == dynamic ? dynamic : Lags + 1;

  tensor lags;       ///< [Lags], lag 1 first
  tensor intercept;  ///< [1], in units of the differenced values

  /// Starts at zero. Only where the type fixes all extents.
  autoregression() requires is_static : autoregression(extents{}) {}

  /// Starts at zero.
  /// @throws usage_error for an extent that neither the type nor the argument fixes, that differs between
  ///         them, or that is out of range
  explicit autoregression(const extents& given)
      : lags_(chosen_extent<Lags>("models::autoregression", "lags", given.lags)),
        differencing_(
            chosen_extent<Differencing>("models::autoregression", "differencing", given.differencing)),
        horizon_(chosen_extent<Horizon>("models::autoregression", "horizon", given.horizon)),
        start_{.order = static_cast<std::size_t>(index_t{lags_}),
               .differencing = static_cast<int>(index_t{differencing_}),
               .coefficients = std::vector<double>(static_cast<std::size_t>(index_t{lags_}), 0.0)} {
    if (memory() < 1)
      throw usage_error(
          "fmsb::models::autoregression: lags + differencing is 0; a forecast needs a level "
          "to start from. Give at least one lag or differencing 1.");
    if (horizon() < 1)
      throw usage_error("fmsb::models::autoregression: the horizon is " + std::to_string(horizon()) +
                        "; it must be at least 1.");
  }

  /// Holds a fitted model, without loss: `to_model()` gives it back.
  /// @param horizon  steps that `forward` returns; 1 where neither this nor the type says
  /// @throws usage_error if the type fixes another order or differencing, or the model's order is not the
  ///         number of its coefficients
  explicit autoregression(const ar::model& fitted, index_t horizon = Horizon)
      : autoregression(extents_of(fitted, horizon)) {
    start_ = fitted;
  }

  void reset() override {
    const auto numbers = at::TensorOptions().dtype(at::kDouble);
    lags = register_parameter("lags", nn::vector_view(start_.coefficients).clone());
    intercept = register_parameter("intercept", at::full({1}, start_.intercept, numbers));
  }

  index_t lag_count() const { return lags_; }
  index_t differencing() const { return differencing_; }
  index_t horizon() const { return horizon_; }
  /// Levels that a forecast reads: lags + differencing.
  index_t memory() const { return index_t{lags_} + index_t{differencing_}; }

  /// Coefficients on levels, lag 1 first, [lags + differencing]; differentiable in `lags`.
  tensor level_coefficients() const {
    tensor polynomial = at::constant_pad_nd(lags.neg(), {1, 0}, 1);  // 1 - phi_1 B - ...
    for (index_t k = 0; k < differencing(); ++k)
      polynomial = at::constant_pad_nd(polynomial, {0, 1}) - at::constant_pad_nd(polynomial, {1, 0});
    return polynomial.slice(0, 1).neg();
  }

  /// Point forecasts of the `horizon` steps after x.
  ///
  /// @param x  [batch, channels, context] levels, oldest first, of the module's number type; leading
  ///           dimensions are free, context is at least `memory()`
  /// @return [batch, channels, horizon]
  /// @throws usage_error for too short a context, another number type or a horizon below 1
  tensor forecast(const tensor& x, index_t horizon) const {
    require_levels(x, horizon);
    const tensor weights = forecast_weights(level_coefficients(), horizon);
    const tensor response = weights.select(1, memory() - 1).slice(0, 0, horizon - 1);  // psi_1, ...
    const tensor drift = intercept * at::constant_pad_nd(response, {1, 0}, 1).cumsum(0);
    return at::linear(x.slice(-1, x.size(-1) - memory()), weights, drift);
  }

  /// `forecast` of the module's own horizon: what a torch::nn::Sequential calls.
  tensor forward(const tensor& x) const { return forecast(x, horizon()); }

  /// The plain description, with the present values.
  ar::model to_model() const {
    const tensor phi = lags.detach().to(at::kCPU, at::kDouble).contiguous();
    const auto values = nn::values_of(phi);
    return {.order = values.size(),
            .differencing = static_cast<int>(differencing()),
            .coefficients = {values.begin(), values.end()},
            .intercept = intercept.item().toDouble()};
  }

  /// Equal for static and dynamic extents, and for every horizon: parameters mean the same in all.
  std::string describe() const override {
    return "models::autoregression(lags=" + std::to_string(lag_count()) +
           ", differencing=" + std::to_string(differencing()) + ")";
  }

 private:
  static extents extents_of(const ar::model& fitted, index_t horizon) {
    if (fitted.order != fitted.coefficients.size())
      throw usage_error("fmsb::models::autoregression: the fitted model says order " +
                        std::to_string(fitted.order) + " but holds " +
                        std::to_string(fitted.coefficients.size()) + " coefficients.");
    return {.lags = static_cast<index_t>(fitted.order),
            .differencing = fitted.differencing,
            .horizon = horizon == dynamic ? 1 : horizon};
  }

  void require_levels(const tensor& x, index_t horizon) const {
    if (horizon < 1)
      throw usage_error(describe() + ": a forecast of " + std::to_string(horizon) +
                        " steps was asked for; the horizon must be at least 1.");
    if (x.dim() < 1 || x.size(-1) < memory())
      throw usage_error(describe() + " reads the last " + std::to_string(memory()) +
                        " levels (lags + differencing), but the context holds " +
                        std::to_string(x.dim() < 1 ? 0 : x.size(-1)) +
                        ". Give [batch, channels, context] with a longer context, or use fewer lags.");
    if (x.scalar_type() != lags.scalar_type())
      throw usage_error(describe() + " computes in " + std::string(c10::toString(lags.scalar_type())) +
                        ", but the context is " + std::string(c10::toString(x.scalar_type())) +
                        ". Convert one of them: x.to(torch::kDouble), or module->to(torch::kFloat).");
  }

  [[no_unique_address]] extent<Lags> lags_;
  [[no_unique_address]] extent<Differencing> differencing_;
  [[no_unique_address]] extent<Horizon> horizon_;
  ar::model start_;  // what reset() begins with
};

}  // namespace fmsb::models
