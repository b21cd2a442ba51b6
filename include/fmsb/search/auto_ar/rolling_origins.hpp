#pragma once
#include "fmsb/core/error.hpp"             // data_error
#include "fmsb/data/series.hpp"            // data::series
#include "fmsb/models/ar/horizon_sse.hpp"  // horizon_scorer
#include "fmsb/models/ar/orders.hpp"       // fit_orders

#include <algorithm>  // std::max, std::min, std::unique
#include <cmath>      // std::log
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

/// Where the past ends, for a backtest: `count` origins from `first` to `last` (shares of the rows), each
/// scored on the next `block` share.
struct origin_plan {
  std::size_t count = 5;
  double first = 0.5;
  double last = 0.9;
  double block = 0.1;
};

/// The rows at which the past ends. They move forward only as far as leaves `horizon` rows to score.
/// @throws data_error when not even half of the series leaves that much
inline std::vector<std::size_t> origin_rows(std::size_t rows, std::size_t horizon,
                                            const origin_plan& plan = {}) {
  const auto all = static_cast<double>(rows);
  const auto block = std::max(static_cast<std::size_t>(all * plan.block), horizon);
  const auto first = static_cast<std::size_t>(all * plan.first);
  if (first + block > rows)
    throw data_error("Auto-AR: " + std::to_string(rows) +
                     " rows of train and validation hold no origin with " + std::to_string(horizon) +
                     " rows after it; shorten the horizon.");
  const auto last = std::min(static_cast<std::size_t>(all * plan.last), rows - block);
  std::vector<std::size_t> origins;
  for (std::size_t i = 0; i < plan.count; ++i)
    origins.push_back(plan.count < 2 ? last : first + (last - first) * i / (plan.count - 1));
  origins.erase(std::unique(origins.begin(), origins.end()), origins.end());
  return origins;
}

namespace detail {

/// An order path without the zeros above its diagonal: half the memory, for what waits for another horizon.
class packed_path {
 public:
  explicit packed_path(order_path path) : rest_(std::move(path)) {
    const std::size_t width = rest_.rss.size();
    const double* rows = nn::values_of(rest_.coefficients).data();
    for (std::size_t k = 0; k < width; ++k)
      triangle_.insert(triangle_.end(), rows + k * width, rows + k * width + k + 1);
    rest_.coefficients = tensor();
  }

  order_path unpacked() const {
    auto path = rest_;
    const std::size_t width = path.rss.size();
    path.coefficients = doubles(width, width);
    double* rows = nn::values_of(path.coefficients).data();
    const double* from = triangle_.data();
    for (std::size_t k = 0; k < width; from += ++k) std::copy(from, from + k + 1, rows + k * width);
    return path;
  }

 private:
  order_path rest_;
  std::vector<double> triangle_;
};

}  // namespace detail

/// Fits of every order at several origins of one series, refitted from additive moments: one pass over
/// the data whatever the number of origins, and none for another horizon.
class rolling_origins {
 public:
  /// @param x        the rows that a search may see (train and validation), levels
  /// @param origins  from `origin_rows`, ascending
  /// @throws data_error when the rows before the first origin are too few for the order
  rolling_origins(const data::series& x, std::vector<std::size_t> origins, int differencing,
                  std::size_t max_order)
      : x_(x), origins_(std::move(origins)), differencing_(differencing) {
    const auto y = difference(x, differencing);
    lag_moments moments(x.channels(), max_order);
    std::size_t absorbed = 0;
    for (const std::size_t origin : origins_) {
      const std::size_t known = origin - static_cast<std::size_t>(differencing);
      if (known < 2 * max_order + 2)
        throw data_error("Auto-AR: " + std::to_string(origin) +
                         " rows before the first origin are too few for order " + std::to_string(max_order) +
                         "; lower --orders.");
      moments.append(y.slice(absorbed, known));
      absorbed = known;
      fits_.emplace_back(fit_orders(gram_of(moments), max_order, differencing));
    }
  }

  const std::vector<std::size_t>& origins() const { return origins_; }
  int differencing() const { return differencing_; }

  /// log MSE of every order over the `block` rows after each origin, [origins][orders]. Windows read
  /// `grid.context` rows, or all rows before the origin where those are fewer.
  std::vector<std::vector<double>> log_mse(const std::vector<std::size_t>& orders, window_grid grid,
                                           std::size_t block) const {
    std::vector<std::vector<double>> all;
    for (std::size_t i = 0; i < fits_.size(); ++i) {
      const auto path = fits_[i].unpacked();
      const std::size_t reach = std::min(grid.context, origins_[i]);
      const horizon_scorer scorer(x_.slice(origins_[i] - reach, origins_[i] + block), {reach, grid.horizon},
                                  differencing_, path.max_order());
      auto scores = scorer.mse(path, orders);
      for (auto& s : scores) s = std::log(std::max(s, std::numeric_limits<double>::min()));  // a perfect fit
      all.push_back(std::move(scores));
    }
    return all;
  }

 private:
  data::series x_;
  std::vector<std::size_t> origins_;
  int differencing_;
  std::vector<detail::packed_path> fits_;
};

}  // namespace fmsb::ar
