#pragma once
#include "fmsb/core/error.hpp"            // data_error
#include "fmsb/data/series.hpp"           // data::series
#include "fmsb/models/ar/burg.hpp"        // fit_burg
#include "fmsb/models/ar/difference.hpp"  // difference
#include "fmsb/models/ar/lag_gram.hpp"    // gram_of
#include "fmsb/models/ar/model.hpp"       // model
#include "fmsb/models/ar/orders.hpp"      // fit_order, collinear_lags
#include "fmsb/models/ar/qr_fit.hpp"      // fit_by_qr

#include <cstddef>  // std::size_t
#include <string>   // std::to_string

namespace fmsb::ar {

/// Pooled least squares of one order with intercept, over all channels of `x`, on every row that has its lags
/// before it.
///
/// Normal equations from the lag Gram matrix; where the lags are collinear beyond a tiny ridge, QR of the
/// design and the solution of minimum norm.
///
/// @param x             levels, [channels, time], finite; standardise channels of different scale first
/// @throws data_error   when fewer rows than coefficients are there
inline model fit(const data::series& x, std::size_t order, int differencing) {
  const std::size_t memory = order + static_cast<std::size_t>(differencing);
  if (x.length() <= memory || (x.length() - memory) * x.channels() <= order + 1)
    throw data_error("fmsb::ar::fit: " + std::to_string(x.length()) + " rows of " +
                     std::to_string(x.channels()) + " channels are too few for order " +
                     std::to_string(order) + " with " + std::to_string(differencing) + " differences.");
  const auto y = difference(x, differencing);
  try {
    return fit_order(gram_of(lag_moments::of(y, order)), order, differencing);
  } catch (const collinear_lags&) { return fit_by_qr(y, order, differencing).fitted; }
}

/// The same, but never explosive: where the impulse response leaves 1e3 within the horizon, Burg's estimate
/// of the same order, which is stable.
inline model fit_tame(const data::series& x, std::size_t order, int differencing, std::size_t horizon) {
  auto m = fit(x, order, differencing);
  if (is_tame(m, horizon)) return m;
  return fit_burg(difference(x, differencing), order, differencing).at(order);
}

}  // namespace fmsb::ar
