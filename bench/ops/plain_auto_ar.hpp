#pragma once
#include "fmsb/auto_ar.hpp"    // what the plain ways are compared with
#include "fmsb/nn/tensor.hpp"  // tensor

#include <ATen/ops/cholesky_solve.h>   // at::cholesky_solve
#include <ATen/ops/linalg_cholesky.h>  // at::linalg_cholesky

#include <algorithm>  // std::min
#include <cmath>      // std::log
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <vector>     // std::vector

/// Auto-AR the way it is usually written: regressions on designs that are written out, forecasts of windows
/// that are written out. Every number here is double, and every product is LibTorch's matrix product.
namespace plain {

using fmsb::tensor;
using fmsb::ar::model;
using fmsb::ar::window_grid;
using fmsb::data::series;

inline std::int64_t extent(std::size_t n) { return static_cast<std::int64_t>(n); }

struct sums {
  double squared = 0, absolute = 0, count = 0;

  void add(const tensor& errors) {
    squared += errors.square().sum().item<double>();
    absolute += errors.abs().sum().item<double>();
    count += static_cast<double>(errors.numel());
  }
};

/// What a search ends with.
struct outcome {
  std::size_t order = 0;
  int differencing = 0;
  double mse = 0, mae = 0;
};

/// One channel's regression rows [x(t-1), .., x(t-order), 1 | x(t)] for every t from `first` on, written out.
inline tensor design_of(const series& y, std::size_t channel, std::size_t order, std::size_t first) {
  const auto values = fmsb::nn::vector_view(y.channel(channel)).slice(0, extent(first - order));
  const auto windows = values.unfold(0, extent(order) + 1, 1);  // oldest first, target last
  return at::cat({windows.slice(1, 0, extent(order)).flip(1), at::ones({windows.size(0), 1}, at::kDouble),
                  windows.slice(1, extent(order))},
                 1);
}

/// X'X of the columns [lags 1 .. order, 1, target] over all channels.
inline tensor gram_of(const series& y, std::size_t order) {
  tensor sum = fmsb::ar::doubles(order + 2, order + 2);
  for (std::size_t c = 0; c < y.channels(); ++c) {
    const auto rows = design_of(y, c, order, order);
    sum += at::mm(rows.t(), rows);
  }
  return sum;
}

/// Pooled least squares. The sample starts at row `first` of the differenced values; 0 means at `order`.
inline model fit(const series& levels, std::size_t order, int differencing, std::size_t first = 0) {
  const auto y = fmsb::ar::difference(levels, differencing);
  std::vector<tensor> all;
  for (std::size_t c = 0; c < y.channels(); ++c)
    all.push_back(design_of(y, c, order, std::max(first, order)));
  const auto rows = at::cat(all, 0);
  const auto inputs = rows.slice(1, 0, extent(order) + 1);
  const auto right = at::mm(inputs.t(), rows.slice(1, extent(order) + 1));
  const auto solution =
      at::cholesky_solve(right, at::linalg_cholesky(at::mm(inputs.t(), inputs))).contiguous();
  const double* b = fmsb::nn::values_of(solution).data();
  return {
      .order = order, .differencing = differencing, .coefficients = {b, b + order}, .intercept = b[order]};
}

/// The released program's way: all differenced windows in one tensor, context and horizon side by side; each
/// step is a product of the last `order` columns with the coefficients, written where the next step will read
/// it.
class windows_by_steps {
 public:
  windows_by_steps(const series& x, window_grid grid, int differencing) : grid_(grid) {
    std::vector<tensor> differenced, targets;
    last_.resize(static_cast<std::size_t>(differencing));
    std::vector<std::vector<tensor>> last(last_.size());
    for (std::size_t c = 0; c < x.channels(); ++c) {
      tensor y = fmsb::nn::vector_view(x.channel(c));
      targets.push_back(y.slice(0, extent(grid.context)).unfold(0, extent(grid.horizon), 1));
      const auto windows = targets.back().size(0);
      for (std::size_t k = 0; k < last_.size(); ++k) {
        last[k].push_back(y.slice(0, extent(grid.context - 1 - k)).slice(0, 0, windows));
        y = y.diff();
      }
      differenced.push_back(
          y.unfold(0, extent(grid.context + grid.horizon) - differencing, 1).slice(0, 0, windows));
    }
    windows_ = at::cat(differenced, 0);
    targets_ = at::cat(targets, 0);
    for (std::size_t k = 0; k < last_.size(); ++k) last_[k] = at::cat(last[k], 0).unsqueeze(1);
  }

  sums errors_of(const model& m) {
    const auto beta = fmsb::nn::vector_view(m.coefficients).flip(0);  // oldest first, as the windows
    const std::int64_t known = windows_.size(1) - extent(grid_.horizon), order = extent(m.order);
    for (std::int64_t h = known; h < windows_.size(1); ++h)
      windows_.select(1, h).copy_(at::mv(windows_.slice(1, h - order, h), beta).add_(m.intercept));
    tensor path = windows_.slice(1, known);
    for (std::size_t k = last_.size(); k-- > 0;) path = path.cumsum(1).add_(last_[k]);
    sums total;
    total.add(targets_ - path);
    return total;
  }

 private:
  window_grid grid_;
  tensor windows_;            // [channels x windows, context - d + horizon]
  tensor targets_;            // [channels x windows, horizon], levels
  std::vector<tensor> last_;  // [d] of [channels x windows, 1]: the last value, differenced k times
};

/// The same forecasts as one product of a thousand written-out windows with the iterated coefficients: the
/// strongest way that still forms every window and every forecast.
class windows_by_products {
 public:
  windows_by_products(const series& x, window_grid grid, int) : x_(x), grid_(grid) {}

  sums errors_of(const model& m) const {
    std::vector<fmsb::ar::linear_map> maps{fmsb::ar::to_linear_map(m, m.memory(), grid_.horizon)};
    return errors_of(maps);
  }

  /// One map for all channels, or one for each.
  sums errors_of(const std::vector<fmsb::ar::linear_map>& maps) const {
    sums total;
    for (std::size_t c = 0; c < x_.channels(); ++c) {
      const auto& map = maps[std::min(c, maps.size() - 1)];
      const auto weights = map.weights.flip(1).t().contiguous();  // [memory, horizon], oldest first
      const auto intercept = fmsb::nn::vector_view(map.intercept);
      const auto levels = fmsb::nn::vector_view(x_.channel(c));
      const auto inputs =
          levels.slice(0, extent(grid_.context - map.context())).unfold(0, extent(map.context()), 1);
      const auto targets = levels.slice(0, extent(grid_.context)).unfold(0, extent(grid_.horizon), 1);
      for (std::int64_t w = 0; w < targets.size(0); w += 1024) {
        const auto end = std::min<std::int64_t>(targets.size(0), w + 1024);
        const auto forecasts = at::mm(inputs.slice(0, w, end).contiguous(), weights).add_(intercept);
        total.add(forecasts.sub_(targets.slice(0, w, end)));
      }
    }
    return total;
  }

 private:
  series x_;
  window_grid grid_;
};

/// Search, refit and test as the released program does them. The unit-root rule is shared: it is no matter of
/// windows.
template <class Windows>
outcome released(const fmsb::data::splits& parts, window_grid grid) {
  const auto rows = fmsb::ar::released_fit_set(parts.train, parts.validation, grid.context);
  const int d = fmsb::ar::differences_by_kpss(rows, 2);
  model best;
  double least = 0;
  {
    Windows windows(rows, grid, d);
    for (const auto order : fmsb::ar::released_orders()) {
      if (order + static_cast<std::size_t>(d) > grid.context) continue;
      const auto m = fit(rows, order, d);
      const auto s = windows.errors_of(m);
      const double score = fmsb::ar::released_criterion(s.squared / s.count, order, s.count);
      if (best.order == 0 || score < least) best = m, least = score;
    }
  }
  Windows test(parts.test.with_history(grid.context), grid, d);
  const auto s = test.errors_of(best);
  return {best.order, d, s.squared / s.count, s.absolute / s.count};
}

/// One candidate of the hold-out criterion; its sample starts where the one of `max_order` does.
inline double hold_out_mse(const fmsb::data::splits& parts, window_grid grid, std::size_t order,
                           int differencing, std::size_t max_order) {
  const auto m = fit(parts.train.rows(), order, differencing, max_order);
  const auto s =
      windows_by_products(parts.validation.with_history(grid.context), grid, differencing).errors_of(m);
  return s.squared / s.count;
}

/// One candidate of the rolling origins: the mean of log MSE.
inline double rolling_log_mse(const series& known, window_grid grid, std::size_t order, int differencing,
                              std::size_t max_order) {
  const fmsb::ar::origin_plan plan;
  const auto origins = fmsb::ar::origin_rows(known.length(), grid.horizon, plan);
  const auto share = static_cast<std::size_t>(static_cast<double>(known.length()) * plan.block);
  const auto block = std::min(std::max(share, grid.horizon), known.length() - origins.back());
  double sum = 0;
  for (const auto origin : origins) {
    const auto m = fit(known.slice(0, origin), order, differencing, max_order);
    const auto s = windows_by_products(known.slice(origin - grid.context, origin + block), grid, differencing)
                       .errors_of(m);
    sum += std::log(s.squared / s.count);
  }
  return sum / static_cast<double>(origins.size());
}

/// A stream that keeps the whole Gram matrix and adds every sample's outer product to it.
class stream {
 public:
  stream(std::size_t channels, std::size_t max_order)
      : lags_(fmsb::ar::doubles(channels, max_order + 1)),
        gram_(fmsb::ar::doubles(max_order + 1, max_order + 1)) {}

  /// Differenced once, on the fly.
  void tick(const std::vector<double>& levels) {
    const auto now = fmsb::nn::vector_view(levels);
    if (seen_++ > 0) {
      lags_ = at::cat({(now - before_).unsqueeze(1), lags_.slice(1, 0, lags_.size(1) - 1)}, 1);
      if (seen_ > lags_.size(1)) gram_.addmm_(lags_.t(), lags_);
    }
    before_ = now.clone();
  }

  const tensor& gram() const { return gram_; }

 private:
  tensor lags_, gram_, before_;
  std::int64_t seen_ = 0;
};

}  // namespace plain
