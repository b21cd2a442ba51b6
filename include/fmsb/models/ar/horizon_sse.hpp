#pragma once
#include "fmsb/core/error.hpp"            // usage_error
#include "fmsb/core/isa.hpp"              // isa::run
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/correlate.hpp"   // correlate
#include "fmsb/models/ar/difference.hpp"  // difference
#include "fmsb/models/ar/lag_gram.hpp"    // gram_of
#include "fmsb/models/ar/model.hpp"       // impulse_response
#include "fmsb/models/ar/orders.hpp"      // order_path
#include "fmsb/nn/parallel_for.hpp"       // parallel_for
#include "fmsb/nn/tensor.hpp"             // mm

#include <algorithm>  // std::fill, std::max, std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <limits>     // infinity
#include <span>       // std::span
#include <string>     // std::to_string
#include <vector>     // std::vector

namespace fmsb::ar {

/// Which windows are scored: every stride-1 window of `context` inputs and `horizon` targets in a stretch.
struct window_grid {
  std::size_t context = 512;
  std::size_t horizon = 96;
};

namespace detail {

/// sum_ij K_ij S_ab for one candidate, both matrices by displacement and never stored: `s` and `k` hold one
/// row each, indexed by the distance j - i to the diagonal.
struct trace_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(double* out, double* s, double* k, const double* psi, const double* const* ends,
                       std::size_t pairs, std::size_t horizon) {
    using vec = typename isa::pack<Lanes>::type;
    using loose = typename isa::pack<Lanes>::unaligned;
    double total = 0;
    for (std::size_t i = 0; i < horizon; ++i) {
      const std::size_t count = horizon - i;
      double row = -0.5 * k[0] * s[0];  // the diagonal counts once, what is off it twice
      if (count == 1) {
        total += 2 * (row + k[0] * s[0]);
        break;
      }
      const double later = psi[i + 1];
      vec sum = {};
      std::size_t j = 0;
      for (; j + Lanes <= count - 1; j += Lanes) {
        vec sj = *reinterpret_cast<const loose*>(s + j);
        vec kj = *reinterpret_cast<const loose*>(k + j);
        sum += sj * kj;
        kj += later * *reinterpret_cast<const loose*>(psi + i + 1 + j);
        for (std::size_t c = 0; c < pairs; ++c) {
          const double* head = ends[2 * c] + i;
          const double* tail = ends[2 * c + 1] + i;
          sj += head[0] * *reinterpret_cast<const loose*>(head + j);
          sj -= tail[0] * *reinterpret_cast<const loose*>(tail + j);
        }
        *reinterpret_cast<loose*>(s + j) = sj;
        *reinterpret_cast<loose*>(k + j) = kj;
      }
      for (; j < count; ++j) {
        row += s[j] * k[j];
        if (j + 1 == count) break;
        k[j] += later * psi[i + 1 + j];
        for (std::size_t c = 0; c < pairs; ++c) {
          const double* head = ends[2 * c] + i;
          const double* tail = ends[2 * c + 1] + i;
          s[j] += head[0] * head[j] - tail[0] * tail[j];
        }
      }
      for (int l = 0; l < Lanes; ++l) row += sum[l];
      total += 2 * row;
    }
    *out = total;
  }
};

}  // namespace detail

/// Scores many models of one differencing on the same windows, exactly and without forming a window.
///
/// The h-step errors are combinations of one-step residuals, so their total is a trace,
///
///     sum_{windows, h} E_h^2 = sum_ij K_ij S_ij,   S_ij = sum e(t-i) e(t-j),   K_ij = sum_m psi_{i-m}
///     psi_{j-m},
///
/// where t runs over the last target of every window. Row 0 of S comes from the lag Gram matrix of the
/// stretch; both S and K follow by displacement. Per model of order p: about 2 p (p + H) flops for row 0, 2 C
/// H p for the 2 H residuals at either end, (2 C + 2) H^2 for the trace, whatever the length of the stretch.
class horizon_scorer {
 public:
  /// @param x          levels: every window of `grid` within them is scored
  /// @param max_order  the largest order that will be scored
  /// @throws usage_error when a window does not fit, or the context is shorter than max_order + differencing
  horizon_scorer(const data::series& x, window_grid grid, int differencing, std::size_t max_order)
      : grid_(grid), max_order_(max_order), differencing_(differencing) {
    const std::size_t memory = max_order + static_cast<std::size_t>(differencing);
    if (grid.context < memory)
      throw usage_error("fmsb::ar::horizon_scorer: order " + std::to_string(max_order) + " with " +
                        std::to_string(differencing) + " differences reads " + std::to_string(memory) +
                        " rows; the context has " + std::to_string(grid.context) + ".");
    if (grid.horizon == 0 || x.length() < grid.context + grid.horizon)
      throw usage_error("fmsb::ar::horizon_scorer: " + std::to_string(x.length()) +
                        " rows hold no window of " + std::to_string(grid.context) + " inputs and " +
                        std::to_string(grid.horizon) + " targets.");
    y_ = difference(x.slice(grid.context - memory, x.length()), differencing);
    gram_ = gram_of(lag_moments::of(y_, max_order + grid.horizon - 1), max_order + 1);
  }

  /// Errors that each sum runs over: windows x horizon x channels.
  double errors() const { return gram_.count * static_cast<double>(grid_.horizon); }

  /// Mean squared error over all windows, steps and channels of the given orders of a path; infinite for a
  /// fit so explosive that it overflows.
  std::vector<double> mse(const order_path& path, std::span<const std::size_t> orders) const {
    const std::size_t width = path.rss.size();  // path.max_order() + 1
    if (path.max_order() > max_order_ || path.differencing != differencing_)
      throw usage_error(
          "fmsb::ar::horizon_scorer::mse: the path was fitted for other orders or differencing.");
    const double* rows = nn::values_of(path.coefficients).data();
    std::vector<double> all;
    constexpr std::size_t batch =
        128;  // enough for a product at full speed, little enough to keep memory low
    for (std::size_t first = 0; first < orders.size(); first += batch) {
      const auto some = orders.subspan(first, std::min(batch, orders.size() - first));
      const auto filters = doubles(some.size(), max_order_ + 1);
      std::vector<double> intercepts(some.size());
      double* f = nn::values_of(filters).data();
      for (std::size_t k = 0; k < some.size(); ++k) {
        const double* row = rows + some[k] * width;
        double* filter = f + k * (max_order_ + 1);
        filter[0] = 1;
        intercepts[k] = row[0];
        for (std::size_t i = 1; i <= some[k]; ++i) filter[i] = -row[i];
      }
      const auto mse = mse_of_filters(filters, intercepts, some);
      all.insert(all.end(), mse.begin(), mse.end());
    }
    return all;
  }

  /// The same for one model.
  double mse(const model& m) const {
    if (m.order > max_order_ || m.differencing != differencing_)
      throw usage_error("fmsb::ar::horizon_scorer::mse: the model has another order or differencing.");
    const auto filter = doubles(1, max_order_ + 1);
    double* f = nn::values_of(filter).data();
    f[0] = 1;
    for (std::size_t i = 0; i < m.order; ++i) f[i + 1] = -m.coefficients[i];
    const std::vector intercepts{m.intercept};
    const std::vector orders{m.order};
    return mse_of_filters(filter, intercepts, orders)[0];
  }

 private:
  std::vector<double> mse_of_filters(const tensor& filters, std::span<const double> intercepts,
                                     std::span<const std::size_t> orders) const {
    const std::size_t horizon = grid_.horizon, width = max_order_ + horizon;
    const auto reach = static_cast<std::int64_t>(max_order_) + 1;
    // products[k, m] = sum_l filter_l G(l, m): e(t) against the value m steps before t
    const auto products = at::mm(filters, gram_.second);
    const auto totals = at::mv(filters, gram_.first.slice(0, 0, reach));
    const double* f = nn::values_of(filters).data();
    const double* v = nn::values_of(products).data();
    const double* sums = nn::values_of(totals).data();
    const double* first = nn::values_of(gram_.first).data();
    std::vector<double> result(orders.size());

    nn::parallel_for(static_cast<index_t>(orders.size()), 1, [&](index_t begin, index_t end) {
      std::vector<double> against(width), s(horizon), k(horizon), reversed(max_order_ + 1);
      std::vector<double> residual(horizon), edges(2 * y_.channels() * horizon);
      std::vector<const double*> ends;
      for (std::size_t e = 0; e < 2 * y_.channels(); ++e) ends.push_back(edges.data() + e * horizon);
      for (auto n = static_cast<std::size_t>(begin); n < static_cast<std::size_t>(end); ++n) {
        const std::size_t taps = orders[n] + 1;
        const double intercept = intercepts[n];
        const std::span<const double> filter(f + n * (max_order_ + 1), taps);
        for (std::size_t m = 0; m < width; ++m) against[m] = v[n * width + m] - intercept * first[m];
        const double residual_sum = sums[n] - intercept * gram_.count;
        std::fill(s.begin(), s.end(), -intercept * residual_sum);
        correlate(s, filter, against.data());

        const auto psi = impulse_response(
            {.order = orders[n], .differencing = differencing_, .coefficients = negated(filter.subspan(1))},
            horizon);
        k = psi;  // psi_0 = 1

        for (std::size_t i = 0; i < taps; ++i) reversed[i] = filter[taps - 1 - i];
        const std::size_t lead = max_order_ - orders[n];  // rows that only longer orders read
        for (std::size_t c = 0; c < y_.channels() && horizon > 1; ++c) {
          const auto x = y_.channel(c);
          const std::size_t starts[] = {lead, lead + x.size() - max_order_ - (horizon - 1)};
          for (std::size_t side = 0; side < 2; ++side) {
            // residuals at the horizon-1 times before the first sample, or at the last ones; newest first
            std::fill(residual.begin(), residual.end(), -intercept);
            correlate(std::span(residual).first(horizon - 1), std::span<const double>(reversed).first(taps),
                      x.data() + starts[side]);
            double* out = edges.data() + (2 * c + side) * horizon;
            for (std::size_t i = 0; i + 1 < horizon; ++i) out[i] = residual[horizon - 2 - i];
          }
        }
        double total = 0;
        isa::run<detail::trace_kernel>(&total, s.data(), k.data(), psi.data(),
                                       static_cast<const double* const*>(ends.data()), y_.channels(),
                                       horizon);
        result[n] = total / errors();
        // Rounding may take the error of a perfect fit below nought; an explosive fit overflows or
        // cancels wildly.
        const double power = nn::values_of(gram_.second)[0] / gram_.count;
        if (!(result[n] >= -1e-9 * power)) result[n] = std::numeric_limits<double>::infinity();
        result[n] = std::max(result[n], 0.0);
      }
    });
    return result;
  }

  static std::vector<double> negated(std::span<const double> values) {
    std::vector<double> out(values.begin(), values.end());
    for (auto& v : out) v = -v;
    return out;
  }

  window_grid grid_;
  std::size_t max_order_;
  int differencing_;
  data::series y_;
  lag_gram gram_;
};

}  // namespace fmsb::ar
