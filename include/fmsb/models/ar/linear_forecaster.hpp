#pragma once
#include "fmsb/core/error.hpp"          // usage_error
#include "fmsb/data/series.hpp"         // data::series
#include "fmsb/models/ar/lag_gram.hpp"  // doubles
#include "fmsb/models/ar/model.hpp"     // model, level_coefficients
#include "fmsb/nn/tensor.hpp"           // tensor, rfft

#include <algorithm>  // std::min, std::transform
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <numeric>    // std::reduce
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::ar {

/// A forecast that is a linear map of the last `context` levels, one map a channel or one for all:
///
///     y(t+h) = intercept[h-1] + sum_{i=1..context} weights[h-1][i-1] x(t+1-i)
///
/// Every model of this folder can be written so: an iterated autoregression, a direct regression of every
/// step, NLinear, and averages of them.
struct linear_map {
  tensor weights;                 ///< [horizon, context], lag 1 (the newest value) first
  std::vector<double> intercept;  ///< [horizon]

  std::size_t horizon() const { return intercept.size(); }
  std::size_t context() const { return static_cast<std::size_t>(weights.size(1)); }
};

/// One map for each channel.
struct linear_forecaster {
  std::vector<linear_map> channels;
};

/// The iterated forecasts of an autoregression as one map (the companion form, row by row):
/// a_1 = phi*, a_{h+1}[j] = a_h[1] phi*_j + a_h[j+1].
inline linear_map to_linear_map(const model& m, std::size_t context, std::size_t horizon) {
  const auto levels = level_coefficients(m);
  if (context < levels.size())
    throw usage_error("fmsb::ar::to_linear_map: the model reads " + std::to_string(levels.size()) +
                      " rows; the context has " + std::to_string(context) + ".");
  linear_map map{.weights = doubles(horizon, context), .intercept = std::vector<double>(horizon)};
  double* rows = nn::values_of(map.weights).data();
  for (std::size_t h = 0; h < horizon; ++h) {
    double* row = rows + h * context;
    if (h == 0) {
      std::copy(levels.begin(), levels.end(), row);
      map.intercept[0] = m.intercept;
      continue;
    }
    const double* before = row - context;
    for (std::size_t j = 0; j < levels.size(); ++j)
      row[j] = before[0] * levels[j] + (j + 1 < levels.size() ? before[j + 1] : 0.0);
    map.intercept[h] = map.intercept[h - 1] + before[0] * m.intercept;
  }
  return map;
}

/// The average of two maps of one shape.
inline linear_map average(const linear_map& a, const linear_map& b) {
  linear_map out{.weights = a.weights.lerp(b.weights, 0.5), .intercept = a.intercept};
  for (std::size_t h = 0; h < out.intercept.size(); ++h)
    out.intercept[h] = 0.5 * (a.intercept[h] + b.intercept[h]);
  return out;
}

/// Point forecasts after `history` (at least `context` levels, oldest first).
inline std::vector<double> forecast(const linear_map& map, std::span<const double> history) {
  const std::size_t context = map.context();
  const auto newest = nn::vector_view(history.last(context)).flip(0);
  auto path = at::mv(map.weights, newest).contiguous();
  double* p = nn::values_of(path).data();
  std::vector<double> out(map.horizon());
  for (std::size_t h = 0; h < out.size(); ++h) out[h] = p[h] + map.intercept[h];
  return out;
}

/// Calls `visit(channel, step, errors)` as the overload for an autoregression does: `errors[w]` is target
/// minus forecast of the window whose inputs end at row `context - 1 + w`.
///
/// Each step's forecast is a filter of the series, and all filters of a channel share its spectrum:
/// overlap-save with transforms of 4 x context, about 50 flops a forecast where the product with the
/// windows takes 2 x context. The transforms are in single precision, of the channel less its mean: an error
/// differs from the double one by some 1e-6 of the channel's deviation, a mean of many by 1e-7 and less.
template <class Visit>
void for_each_horizon_error(const linear_forecaster& m, const data::series& x, std::size_t context,
                            std::size_t horizon, Visit&& visit) {
  if (m.channels.size() != x.channels())
    throw usage_error("fmsb::ar: a forecaster of " + std::to_string(m.channels.size()) +
                      " channels was given a series of " + std::to_string(x.channels()) + ".");
  if (horizon == 0 || x.length() < context + horizon)
    throw usage_error("fmsb::ar: " + std::to_string(x.length()) + " rows hold no window of " +
                      std::to_string(context) + " inputs and " + std::to_string(horizon) + " targets.");
  const std::size_t windows = x.length() - context - horizon + 1;
  constexpr std::size_t group = 32;  // filters at a time: their spectra stay in the cache
  for (std::size_t c = 0; c < x.channels(); ++c) {
    const linear_map& map = m.channels[c];
    const std::size_t taps = map.context();
    if (taps > context || map.horizon() < horizon)
      throw usage_error("fmsb::ar: the forecaster of channel \"" + x.names()[c] + "\" reads " +
                        std::to_string(taps) + " rows and looks " + std::to_string(map.horizon()) +
                        " steps ahead; asked for were " + std::to_string(context) + " and " +
                        std::to_string(horizon) + ".");
    std::size_t length = 256;
    while (length < 4 * taps) length *= 2;
    const std::size_t fresh = length - taps + 1;  // outputs of one transform that do not wrap around
    const std::size_t blocks = (windows + fresh - 1) / fresh;
    const auto inputs = x.channel(c).subspan(context - taps);
    const double mean = std::reduce(inputs.begin(), inputs.end()) / static_cast<double>(inputs.size());
    const auto padded =
        at::zeros({static_cast<std::int64_t>(blocks), static_cast<std::int64_t>(length)}, at::kFloat);
    for (std::size_t b = 0; b < blocks; ++b) {
      const auto rest = inputs.subspan(b * fresh);
      const auto part = rest.first(std::min(rest.size(), length));
      std::transform(part.begin(), part.end(), padded.mutable_data_ptr<float>() + b * length,
                     [&](double v) { return static_cast<float>(v - mean); });
    }
    const auto level = (map.weights.sum(1) * mean).contiguous();  // what the mean adds to each forecast
    const auto spectrum = at::fft_rfft(padded);                   // [blocks, length/2 + 1]
    std::vector<double> errors(windows);
    for (std::size_t first = 0; first < horizon; first += group) {
      const auto count = std::min(group, horizon - first);
      const auto steps =
          map.weights.slice(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(first + count));
      const auto filters = at::fft_rfft(steps.to(at::kFloat), static_cast<std::int64_t>(length));
      std::vector<tensor> outputs;
      for (std::size_t b = 0; b < blocks; ++b)
        outputs.push_back(at::fft_irfft(filters.mul(spectrum.select(0, static_cast<std::int64_t>(b))),
                                        static_cast<std::int64_t>(length))
                              .contiguous());
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t h = first + k;  // step h + 1
        const double* target = x.channel(c).data() + context + h;
        const double offset = map.intercept[h] + nn::values_of(level)[h];
        for (std::size_t b = 0; b < blocks; ++b) {
          // Output n of the filter ends its taps at input n; the first whole one is taps - 1.
          const float* out = outputs[b].const_data_ptr<float>() + k * length + taps - 1;
          const std::size_t begin = b * fresh, end = std::min(windows, begin + fresh);
          for (std::size_t w = begin; w < end; ++w) errors[w] = target[w] - offset - double{out[w - begin]};
        }
        visit(c, h + 1, std::span<const double>(errors));
      }
    }
  }
}

}  // namespace fmsb::ar
