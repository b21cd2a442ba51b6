#pragma once
#include "fmsb/core/error.hpp"            // usage_error
#include "fmsb/core/isa.hpp"              // isa::run
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/burg.hpp"        // fit_burg
#include "fmsb/models/ar/correlate.hpp"   // correlate
#include "fmsb/models/ar/criteria.hpp"    // criterion, best_order
#include "fmsb/models/ar/difference.hpp"  // difference
#include "fmsb/models/ar/lag_gram.hpp"    // lag_gram
#include "fmsb/models/ar/model.hpp"       // model
#include "fmsb/models/ar/orders.hpp"      // fit_orders
#include "fmsb/nn/tensor.hpp"             // values_of

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::ar {

/// How the models of zero-shot windows are estimated.
enum class zero_shot_method {
  burg,          ///< stable whatever the window holds; 10 x channels x context x order flops a window
  least_squares  ///< from moments that slide along; may explode where a window is short for its order
};

/// How a model is fitted to one window alone.
struct zero_shot_options {
  std::size_t context = 512;  ///< rows of a window: all that a fit may see
  std::size_t horizon = 96;
  int differencing = 1;
  std::size_t max_order = 0;  ///< 0: a quarter of the differenced rows
  zero_shot_method method = zero_shot_method::burg;
  criterion rule = criterion::aicc;  ///< chooses the order inside the window
  std::size_t hold_out = 0;  ///< when positive, least squares chooses the order by the one-step error on so
                             ///< many last rows of the window instead, and fits it anew to all of it
  bool drift = false;  ///< whether differenced models have an intercept, which carries a window's slope on;
                       ///< levels always have one

  bool has_intercept() const { return differencing == 0 || drift; }

  /// The largest order in force.
  std::size_t order_bound() const {
    const auto d = static_cast<std::size_t>(differencing);
    return max_order > 0 ? max_order : (context - std::min(context, d)) / 4;
  }
};

namespace detail {

/// Moments of a window that slides along a series: lags 0..L over `rows` values, moved on by one row in
/// O(channels x lags).
class sliding_moments {
 public:
  sliding_moments(const data::series& y, std::size_t rows, std::size_t lags)
      : rows_(rows), lags_(lags), row_(lags + 1), length_(y.length()) {
    for (std::size_t c = 0; c < y.channels(); ++c)
      newest_first_.emplace_back(y.channel(c).rbegin(), y.channel(c).rend());
    restart();
  }

  void slide() {
    ++first_;
    if (first_ % kRestart == 0) return restart();  // rounding never builds up over more than these
    for (const auto& y : newest_first_) {
      const double* entering = before(y, first_ + rows_ - 1);
      const double* leaving = before(y, first_ + lags_ - 1);
      isa::run<slide_kernel>(row_.data(), entering, leaving, row_.size());
      sum_ += entering[0] - leaving[0];
    }
  }

  /// Without first moments the normal equations have intercept 0.
  lag_gram gram(bool with_mean) const {
    std::vector<segment_ends> ends;
    for (const auto& y : newest_first_)
      ends.push_back({before(y, first_ + lags_ - 1), before(y, first_ + rows_ - 1)});
    const auto count = static_cast<double>(newest_first_.size() * (rows_ - lags_));
    auto g = displaced_gram(row_, sum_, count, ends, 1, lags_ + 1);
    if (!with_mean) g.first.zero_();
    return g;
  }

 private:
  static constexpr std::size_t kRestart = 1024;

  struct slide_kernel {
    template <int Lanes>
    FMSB_KERNEL void run(double* row, const double* entering, const double* leaving, std::size_t count) {
      const double in = entering[0], out = leaving[0];
      for (std::size_t k = 0; k < count; ++k) row[k] += in * entering[k] - out * leaving[k];
    }
  };

  // The value at time t, followed by those before it.
  const double* before(const std::vector<double>& y, std::size_t t) const {
    return y.data() + (length_ - 1 - t);
  }

  void restart() {
    std::fill(row_.begin(), row_.end(), 0.0);
    sum_ = 0;
    for (const auto& y : newest_first_) {
      const std::span<const double> targets(before(y, first_ + rows_ - 1), rows_ - lags_);
      correlate(row_, targets, targets.data());
      for (double v : targets) sum_ += v;
    }
  }

  std::size_t rows_, lags_;
  std::vector<double> row_;
  std::size_t length_;
  std::size_t first_ = 0;
  double sum_ = 0;
  std::vector<std::vector<double>> newest_first_;
};

/// The order and coefficients that a criterion prefers, with one factorisation and one solution for that
/// order alone.
inline model fit_preferred(const lag_gram& g, std::size_t max_order, int differencing, criterion rule) {
  const auto e = bordered(g, max_order);
  const auto lower = cholesky_with_ridge(e.matrix).lower.contiguous();
  const std::size_t n = max_order + 1;
  const double* l = nn::values_of(lower).data();
  const auto right = nn::values_of(e.right);
  std::vector<double> projected(n);
  order_path path{.rss = std::vector<double>(n),
                  .samples = g.count,
                  .coefficients = {},
                  .ridge = 0,
                  .differencing = differencing};
  double rss = e.target;
  for (std::size_t i = 0; i < n; ++i) {
    double value = right[i];
    for (std::size_t j = 0; j < i; ++j) value -= l[i * n + j] * projected[j];
    projected[i] = value / l[i * n + i];
    rss -= projected[i] * projected[i];
    path.rss[i] = std::max(rss, 0.0);
  }
  const std::size_t order = best_order(rule, path);
  for (std::size_t i = order + 1; i-- > 0;) {
    projected[i] /= l[i * n + i];
    for (std::size_t j = 0; j < i; ++j) projected[j] -= l[i * n + j] * projected[i];
  }
  return {.order = order,
          .differencing = differencing,
          .coefficients = {projected.begin() + 1, projected.begin() + 1 + static_cast<std::ptrdiff_t>(order)},
          .intercept = projected[0]};
}

/// The order whose fit to the first rows has the smallest squared one-step error on the held ones, whose
/// moments are the difference of both Gram matrices.
inline std::size_t held_out_order(const lag_gram& all, const lag_gram& fitted_on, std::size_t max_order) {
  const auto path = fit_orders(fitted_on, max_order, 0);
  const lag_gram held{.second = all.second - fitted_on.second,
                      .first = all.first - fitted_on.first,
                      .count = all.count - fitted_on.count};
  const auto e = bordered(held, max_order);
  const auto products = at::mm(path.coefficients, e.matrix);  // [P+1, P+1]
  const auto quadratic = (products * path.coefficients).sum(1) - 2 * at::mv(path.coefficients, e.right);
  return index_of_smallest(nn::values_of(quadratic.contiguous()));
}

/// Forecasts of `horizon` levels after `newest`, which points behind the last known level.
inline void forecast_levels(const std::vector<double>& levels, double intercept, const double* newest,
                            std::vector<double>& scratch, std::vector<double>& path) {
  const std::size_t q = levels.size(), horizon = path.size();
  std::fill(path.begin(), path.end(), intercept);
  if (q > 0) {
    scratch.assign(q + horizon, 0.0);  // the known levels, then zeros where forecasts will stand
    std::copy(newest - q, newest, scratch.begin());
    const std::vector<double> oldest_first(levels.rbegin(), levels.rend());
    correlate(path, oldest_first, scratch.data());
  }
  isa::run<scatter_kernel>(path.data(), horizon, levels.data(), q);  // each forecast feeds the later ones
}

}  // namespace detail

/// Forecast errors where each window gets a model of its own, fitted to its own `context` rows and nothing
/// else: all channels pooled, every order from one factorisation, the order chosen inside the window without
/// a look at its targets.
///
/// By least squares the moments slide from window to window: O(channels x P) for the update, 2 x channels x
/// P^2 for the Gram matrix, P^3 / 3 for the factorisation; nothing is refitted from raw values. By Burg's
/// method, the default, each window is fitted anew: its models are stable, which counts where a window holds
/// few values for a long horizon.
///
/// Calls `visit(channel, step, errors)` as for_each_horizon_error does, but once for every run of up to 64
/// windows, in order. A window whose values do not vary is forecast by its mean.
///
/// @param x  levels without gaps
/// @return the order chosen for each window
/// @throws usage_error where no window fits, or fewer samples than coefficients are left in a window
template <class Visit>
std::vector<std::size_t> for_each_zero_shot_error(const data::series& x, const zero_shot_options& o,
                                                  Visit&& visit) {
  const std::size_t bound = o.order_bound(), d = static_cast<std::size_t>(o.differencing);
  if (o.horizon == 0 || x.length() < o.context + o.horizon)
    throw usage_error("fmsb::ar: " + std::to_string(x.length()) + " rows hold no window of " +
                      std::to_string(o.context) + " inputs and " + std::to_string(o.horizon) + " targets.");
  if (o.context < bound + d + o.hold_out + 1 ||
      (o.context - bound - d - o.hold_out) * x.channels() < bound + 2)
    throw usage_error("fmsb::ar: orders up to " + std::to_string(bound) + " cannot be fitted to windows of " +
                      std::to_string(o.context) + " rows and " + std::to_string(x.channels()) +
                      " channels; lower max_order or hold_out.");
  const auto y = difference(x, o.differencing);
  const std::size_t rows = o.context - d, windows = x.length() - o.context - o.horizon + 1;
  detail::sliding_moments moments(y, rows, bound);
  detail::sliding_moments early(y, rows - o.hold_out, bound);

  const auto least_squares_model = [&]() -> model {
    const auto g = moments.gram(o.has_intercept());
    try {
      if (o.hold_out == 0) return detail::fit_preferred(g, bound, o.differencing, o.rule);
      const auto order = detail::held_out_order(g, early.gram(o.has_intercept()), bound);
      return fit_order(g, order, o.differencing);
    } catch (const data_error&) {  // collinear beyond repair: the mean it is
      return {.order = 0,
              .differencing = o.differencing,
              .coefficients = {},
              .intercept = nn::values_of(g.first)[0] / g.count};
    }
  };
  const auto burg_model = [&](std::size_t window) {
    const auto path = fit_burg(y.slice(window, window + rows), bound, o.differencing,
                               o.has_intercept() ? centring::mean : centring::zero);
    return path.at(best_order(o.rule, path));
  };

  constexpr std::size_t kRun = 64;
  std::vector<std::size_t> orders;
  std::vector<double> errors(x.channels() * o.horizon * kRun), path(o.horizon), scratch;
  for (std::size_t first = 0; first < windows; first += kRun) {
    const std::size_t run = std::min(kRun, windows - first);
    for (std::size_t w = first; w < first + run; ++w) {
      const auto m = o.method == zero_shot_method::burg ? burg_model(w) : least_squares_model();
      orders.push_back(m.order);
      const auto levels = level_coefficients(m);
      for (std::size_t c = 0; c < x.channels(); ++c) {
        const double* targets = x.channel(c).data() + w + o.context;
        detail::forecast_levels(levels, m.intercept, targets, scratch, path);
        for (std::size_t h = 0; h < o.horizon; ++h)
          errors[(c * o.horizon + h) * kRun + w - first] = targets[h] - path[h];
      }
      if (w + 1 < windows && o.method == zero_shot_method::least_squares) {
        moments.slide();
        if (o.hold_out > 0) early.slide();
      }
    }
    for (std::size_t c = 0; c < x.channels(); ++c)
      for (std::size_t h = 1; h <= o.horizon; ++h)
        visit(c, h, std::span<const double>(errors).subspan((c * o.horizon + h - 1) * kRun, run));
  }
  return orders;
}

}  // namespace fmsb::ar
