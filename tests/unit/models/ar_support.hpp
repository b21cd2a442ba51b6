#pragma once
#include "fmsb/data/csv.hpp"              // data::read_csv
#include "fmsb/data/scaling.hpp"          // data::z_scored
#include "fmsb/data/splits.hpp"           // data::ett_hourly
#include "fmsb/models/ar/difference.hpp"  // ar::difference
#include "fmsb/models/ar/lag_gram.hpp"    // ar::lag_gram
#include "fmsb/models/ar/model.hpp"       // ar::model

#include "support/data.hpp"

#include <ATen/ops/linalg_qr.h>

#include <cmath>     // std::sqrt
#include <cstddef>   // std::size_t
#include <cstdint>   // std::uint64_t
#include <deque>     // std::deque
#include <limits>    // quiet_NaN
#include <optional>  // std::optional
#include <random>    // std::mt19937_64
#include <span>      // std::span
#include <string>    // std::to_string
#include <utility>   // std::move
#include <vector>    // std::vector

namespace fmsb::test {

inline std::vector<std::string> channel_names(std::size_t channels) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < channels; ++c) names.push_back("c" + std::to_string(c));
  return names;
}

/// A second-order autoregression with a cycle, driven by normal noise; one start for each channel.
inline data::series noisy_cycles(std::size_t channels, std::size_t length, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  values.reserve(channels * length);
  for (std::size_t c = 0; c < channels; ++c) {
    double one = normal(engine), two = normal(engine);
    for (std::size_t t = 0; t < length; ++t) {
      const double next = 0.3 + 1.2 * one - 0.6 * two + normal(engine);
      two = one;
      one = next;
      values.push_back(next);
    }
  }
  return {channel_names(channels), {}, std::move(values)};
}

/// Plain bookkeeping of what lag_moments keeps in O(channels x lags): every sample with its lags and weight.
struct sample_ledger {
  struct sample {
    std::vector<double> lagged;  // [lags + 1], lagged[i] = y(t - i)
    double weight = 1;
  };
  std::size_t lags = 0;
  std::size_t differencing = 0;
  double forgetting = 1;
  std::vector<std::vector<double>> history;  // levels of each channel since its last gap
  std::vector<sample> samples;

  sample_ledger(std::size_t channels, std::size_t most_lags, std::size_t differences, double factor)
      : lags(most_lags), differencing(differences), forgetting(factor), history(channels) {}

  void tick(std::span<const double> levels) {
    forget(forgetting);
    for (std::size_t c = 0; c < levels.size(); ++c) {
      auto& known = history[c];
      if (std::isnan(levels[c])) {
        known.clear();
        continue;
      }
      known.push_back(levels[c]);
      if (known.size() <= lags + differencing) continue;
      std::vector<double> recent(known.end() - static_cast<std::ptrdiff_t>(lags + differencing + 1),
                                 known.end());
      for (std::size_t k = 0; k < differencing; ++k) {
        for (std::size_t t = recent.size(); t-- > 1;) recent[t] -= recent[t - 1];
        recent.erase(recent.begin());
      }
      samples.push_back({{recent.rbegin(), recent.rend()}, 1.0});
    }
  }

  void forget(double factor) {
    for (auto& s : samples) s.weight *= factor;
  }

  void merge(const sample_ledger& other) {
    const auto theirs = other.samples;
    samples.insert(samples.end(), theirs.begin(), theirs.end());
  }

  ar::lag_gram gram() const {
    ar::lag_gram g{.second = ar::doubles(lags + 1, lags + 1), .first = ar::doubles(lags + 1), .count = 0};
    auto second = nn::values_of(g.second), first = nn::values_of(g.first);
    for (const auto& s : samples) {
      g.count += s.weight;
      for (std::size_t i = 0; i <= lags; ++i) {
        first[i] += s.weight * s.lagged[i];
        for (std::size_t j = 0; j <= lags; ++j)
          second[i * (lags + 1) + j] += s.weight * s.lagged[i] * s.lagged[j];
      }
    }
    return g;
  }

  /// Weighted least squares of one order by QR of the whole design.
  ar::model fit(std::size_t order) const {
    const auto design = ar::doubles(samples.size(), order + 1), target = ar::doubles(samples.size(), 1);
    auto x = nn::values_of(design), y = nn::values_of(target);
    for (std::size_t r = 0; r < samples.size(); ++r) {
      const double root = std::sqrt(samples[r].weight);
      y[r] = root * samples[r].lagged[0];
      x[r * (order + 1)] = root;
      for (std::size_t i = 1; i <= order; ++i) x[r * (order + 1) + i] = root * samples[r].lagged[i];
    }
    const auto [q, upper] = at::linalg_qr(design);
    const auto b = at::linalg_solve_triangular(upper, at::mm(q.t(), target), true).contiguous();
    const double* beta = nn::values_of(b).data();
    return {.order = order,
            .differencing = static_cast<int>(differencing),
            .coefficients = {beta + 1, beta + 1 + order},
            .intercept = beta[0]};
  }
};

/// The largest distance of two tensors' elements, relative to the largest element of the first.
inline double relative_distance(const tensor& a, const tensor& b) {
  const auto x = a.contiguous(), y = b.contiguous();
  const auto u = nn::values_of(x), v = nn::values_of(y);
  double scale = 1, most = 0;
  for (double e : u) scale = std::max(scale, std::abs(e));
  for (std::size_t i = 0; i < u.size(); ++i) most = std::max(most, std::abs(u[i] - v[i]));
  return u.size() == v.size() ? most / scale : std::numeric_limits<double>::infinity();
}

/// The largest distance of two models' coefficients, intercept included.
inline double distance(const ar::model& a, const ar::model& b) {
  if (a.order != b.order || a.differencing != b.differencing) return std::numeric_limits<double>::infinity();
  double most = std::abs(a.intercept - b.intercept);
  for (std::size_t i = 0; i < a.order; ++i)
    most = std::max(most, std::abs(a.coefficients[i] - b.coefficients[i]));
  return most;
}

/// ETTh1 z-scored by its train part, or nothing where the file is not there.
inline std::optional<data::splits> etth1() {
  const auto file = data_file("timeseries/ETTh1.csv");
  if (!file) return std::nullopt;
  return data::z_scored(data::ett_hourly(data::read_csv(*file)));
}

}  // namespace fmsb::test
