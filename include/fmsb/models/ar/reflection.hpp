#pragma once
#include "fmsb/core/error.hpp"          // usage_error, data_error
#include "fmsb/data/series.hpp"         // data::series
#include "fmsb/models/ar/lag_gram.hpp"  // doubles
#include "fmsb/models/ar/orders.hpp"    // order_path
#include "fmsb/nn/tensor.hpp"           // values_of

#include <algorithm>  // std::clamp
#include <cmath>      // std::isfinite
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

/// What the values are taken to vary about: their mean, which gives the models an intercept, or zero.
enum class centring { mean, zero };

}  // namespace fmsb::ar

namespace fmsb::ar::detail {

/// All channels of all segments less what they vary about: what Burg's and the Yule-Walker method work on.
struct centred_channels {
  std::vector<std::vector<double>> values;
  double mean = 0;
  double count = 0;
};

inline centred_channels centre(std::span<const data::series> segments, centring about, const char* method) {
  centred_channels out;
  double sum = 0;
  for (const auto& x : segments)
    for (std::size_t c = 0; c < x.channels(); ++c) {
      const auto values = x.channel(c);
      out.values.emplace_back(values.begin(), values.end());
      double part = 0;
      for (double v : values) part += v;
      if (!std::isfinite(part))
        throw data_error("fmsb::ar::" + std::string(method) + ": channel \"" + x.names()[c] +
                         "\" holds a value that is not finite; fill gaps or cut the series at them.");
      sum += part;
      out.count += static_cast<double>(values.size());
    }
  if (!(out.count > 0))
    throw data_error("fmsb::ar::" + std::string(method) + ": there are no values to fit.");
  if (about == centring::zero) return out;
  out.mean = sum / out.count;
  for (auto& channel : out.values)
    for (double& v : channel) v -= out.mean;
  return out;
}

/// Builds the models of all orders from reflection coefficients, one step an order:
///
///     phi_{m+1,i} = phi_{m,i} - k phi_{m,m+1-i},   phi_{m+1,m+1} = k,   v_{m+1} = v_m (1 - k^2)
///
/// (Durbin-Levinson; Brockwell and Davis, Time Series: Theory and Methods, 5.2). With |k| < 1 every order is
/// stable.
class reflection_path {
 public:
  reflection_path(std::size_t max_order, double mean, double variance, double samples, int differencing)
      : mean_(mean), width_(max_order + 1) {
    path_.rss.assign(width_, 0.0);
    path_.samples = samples;
    path_.coefficients = doubles(width_, width_);
    path_.differencing = differencing;
    path_.rss[0] = variance * samples;
    nn::values_of(path_.coefficients)[0] = mean;
  }

  std::size_t order() const { return order_; }
  double variance() const { return path_.rss[order_] / path_.samples; }
  /// Coefficients of the order reached, lag 1 first.
  std::span<const double> coefficients() const {
    return nn::values_of(path_.coefficients).subspan(order_ * width_ + 1, order_);
  }

  /// Rounding may bring a coefficient past 1, where a model fits without error; it counts as 1.
  void push(double reflection) {
    reflection = variance() > 0 ? std::clamp(reflection, -1.0, 1.0) : 0.0;
    const double* now = nn::values_of(path_.coefficients).data() + order_ * width_ + 1;
    double* next = nn::values_of(path_.coefficients).data() + (order_ + 1) * width_;
    double sum = reflection;
    for (std::size_t i = 0; i < order_; ++i) {
      next[i + 1] = now[i] - reflection * now[order_ - 1 - i];
      sum += next[i + 1];
    }
    next[order_ + 1] = reflection;
    next[0] = mean_ * (1 - sum);
    path_.rss[order_ + 1] = path_.rss[order_] * (1 - reflection * reflection);
    ++order_;
  }

  order_path take() { return std::move(path_); }

 private:
  double mean_;
  std::size_t width_;
  std::size_t order_ = 0;
  order_path path_;
};

}  // namespace fmsb::ar::detail
