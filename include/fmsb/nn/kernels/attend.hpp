#pragma once
#include "fmsb/nn/kernels/panels.hpp"  // multiply, pack_rows, float_pack

#include <cstddef>  // std::size_t, std::ptrdiff_t
#include <cstring>  // std::memcpy
#include <limits>   // std::numeric_limits

/// Attention of one head in float, without LibTorch: of a few queries to a sequence that many attend to, and
/// of one query to its own past.
namespace fmsb::nn {

/// Rows of scores that become weights.
struct softmax_task {
  float* scores = nullptr;  ///< [rows, count]; becomes exp(score + bias + hidden - the row's largest)
  std::size_t stride = 0;   ///< floats from row to row
  std::size_t rows = 0, count = 0;
  const float* bias = nullptr;     ///< [count] of the first row; null: none
  std::ptrdiff_t bias_stride = 0;  ///< floats from a row's bias to the next row's
  const float* hidden = nullptr;   ///< [count], the same for all rows; null: none
  float* inverse_sums = nullptr;   ///< [rows]: what the row is to be multiplied by for a sum of 1
};

/// A query to the tokens before it.
struct attend_one_task {
  const float* query = nullptr;                    ///< [width]
  const float *keys = nullptr, *values = nullptr;  ///< [count, width]
  const float* bias = nullptr;                     ///< [count]; null: none
  std::size_t width = 0, count = 0;
  float scale = 1;          ///< of the scores
  float* scores = nullptr;  ///< [count], for the kernel's use
  float* out = nullptr;     ///< [width]
  /// What the next call reads, as long as this call's: it is fetched meanwhile, for a past is read once and
  /// waited for. Null: none.
  const float *next_keys = nullptr, *next_values = nullptr;
};

/// Rows whose mean square is wanted.
struct rms_task {
  const float* rows = nullptr;
  std::size_t stride = 0, count = 0, width = 0;
  double epsilon = 0;
  float* scales = nullptr;  ///< [count]: 1 / sqrt(mean of squares + epsilon)
};

namespace detail {

/// The sum of a vector's floats, by halves.
template <std::size_t Size>
FMSB_KERNEL float sum_within(const float (&x)[Size]) {
  if constexpr (Size == 1) {
    return x[0];
  } else {
    float half[Size / 2];
    for (std::size_t i = 0; i < Size / 2; ++i) half[i] = x[i] + x[i + Size / 2];
    return sum_within<Size / 2>(half);
  }
}

template <int Lanes>
struct float_lanes {
  using vec = typename float_pack<Lanes>::type;
  using loose = typename float_pack<Lanes>::unaligned;
  using whole = typename float_pack<Lanes>::whole;
  static constexpr std::size_t size = float_pack<Lanes>::size;

  /// e^x for x <= 0, within 2 units in the last place; 0 from -87 down. Cephes' expf: 2^n times a polynomial
  /// in what is left of x beyond n log 2.
  FMSB_KERNEL void exponential(vec& x) {
    constexpr float kRounder = 12582912.0F;  // 1.5 2^23: adding it leaves the nearest integer
    const vec n = (x * 1.44269504088896341F + kRounder) - kRounder;
    const vec r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
    vec y = r * 1.9875691500e-4F + 1.3981999507e-3F;
    y = y * r + 8.3334519073e-3F;
    y = y * r + 4.1665795894e-2F;
    y = y * r + 1.6666665459e-1F;
    y = y * r + 5.0000001201e-1F;
    y = y * (r * r) + (r + 1.0F);
    // Where x is far below, n has no place in the exponent: what comes out is replaced.
    const vec bounded = n < -126.0F ? vec{} - 126.0F : n;
    const whole power = (__builtin_convertvector(bounded, whole) + 127) << 23;
    vec factor;
    std::memcpy(&factor, &power, sizeof(vec));
    x = x < -87.0F ? vec{} : y * factor;
  }

  FMSB_KERNEL void load_some(const float* from, std::size_t count, float otherwise, vec& x) {
    alignas(64) float lanes[size];
    for (std::size_t i = 0; i < size; ++i) lanes[i] = i < count ? from[i] : otherwise;
    std::memcpy(&x, lanes, sizeof(vec));
  }
  FMSB_KERNEL void store_some(const vec& x, std::size_t count, float* into) {
    alignas(64) float lanes[size];
    std::memcpy(lanes, &x, sizeof(vec));
    for (std::size_t i = 0; i < count; ++i) into[i] = lanes[i];
  }
  FMSB_KERNEL float sum(const vec& x) {
    alignas(64) float lanes[size];
    std::memcpy(lanes, &x, sizeof(vec));
    return sum_within<size>(lanes);
  }
  FMSB_KERNEL float largest(const vec& x) {
    alignas(64) float lanes[size];
    std::memcpy(lanes, &x, sizeof(vec));
    float most = lanes[0];
    for (std::size_t i = 1; i < size; ++i) most = lanes[i] > most ? lanes[i] : most;
    return most;
  }
};

struct softmax_rows {
  template <int Lanes>
  FMSB_KERNEL void run(const softmax_task* task) {
    const softmax_task& t = *task;
    for (std::size_t row = 0; row < t.rows; ++row)
      t.inverse_sums[row] =
          1 / one_row<Lanes>(
                  t.scores + row * t.stride, t.count,
                  t.bias == nullptr ? nullptr : t.bias + static_cast<std::ptrdiff_t>(row) * t.bias_stride,
                  t.hidden);
  }

  /// @return the sum of what the scores became
  template <int Lanes>
  FMSB_KERNEL float one_row(float* scores, std::size_t count, const float* bias, const float* hidden) {
    using lanes = float_lanes<Lanes>;
    using vec = typename lanes::vec;
    using loose = typename lanes::loose;
    constexpr std::size_t size = lanes::size;
    constexpr float kNone = -std::numeric_limits<float>::infinity();
    const std::size_t whole = count / size * size, left = count - whole;
    vec most = vec{} + kNone;
    for (std::size_t j = 0; j < whole; j += size) {
      vec x = *reinterpret_cast<const loose*>(scores + j);
      if (bias != nullptr) x += *reinterpret_cast<const loose*>(bias + j);
      if (hidden != nullptr) x += *reinterpret_cast<const loose*>(hidden + j);
      *reinterpret_cast<loose*>(scores + j) = x;
      most = x > most ? x : most;
    }
    vec last = vec{} + kNone;
    if (left > 0) {
      vec more;
      lanes::load_some(scores + whole, left, kNone, last);
      if (bias != nullptr) {
        lanes::load_some(bias + whole, left, 0, more);
        last += more;
      }
      if (hidden != nullptr) {
        lanes::load_some(hidden + whole, left, 0, more);
        last += more;
      }
      most = last > most ? last : most;
    }
    const float top = lanes::largest(most);
    vec sum{};
    for (std::size_t j = 0; j < whole; j += size) {
      vec x = *reinterpret_cast<const loose*>(scores + j) - top;
      lanes::exponential(x);
      *reinterpret_cast<loose*>(scores + j) = x;
      sum += x;
    }
    if (left > 0) {
      last -= top;
      lanes::exponential(last);
      lanes::store_some(last, left, scores + whole);
      sum += last;  // what lies behind the row is exp(-inf), nothing
    }
    return lanes::sum(sum);
  }
};

struct attend_one_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const attend_one_task* task) {
    using lanes = float_lanes<Lanes>;
    using vec = typename lanes::vec;
    using loose = typename lanes::loose;
    constexpr std::size_t size = lanes::size;
    const attend_one_task& t = *task;
    const std::size_t whole = t.width / size * size;
    for (std::size_t token = 0; token < t.count; ++token) {
      const float* const key = t.keys + token * t.width;
      if (t.next_keys != nullptr) fetch(t.next_keys + token * t.width, t.width);
      vec sums{};
      for (std::size_t i = 0; i < whole; i += size)
        sums += *reinterpret_cast<const loose*>(t.query + i) * *reinterpret_cast<const loose*>(key + i);
      float score = lanes::sum(sums);
      for (std::size_t i = whole; i < t.width; ++i) score += t.query[i] * key[i];
      t.scores[token] = t.scale * score;
    }
    const float inverse = 1 / softmax_rows::one_row<Lanes>(t.scores, t.count, t.bias, nullptr);
    if (t.next_values != nullptr)
      for (std::size_t token = 0; token < t.count; ++token) fetch(t.next_values + token * t.width, t.width);
    std::size_t first = 0;
    for (; first + 4 * size <= t.width; first += 4 * size) mix<Lanes, 4>(t, first, inverse);
    for (; first + size <= t.width; first += size) mix<Lanes, 1>(t, first, inverse);
    for (; first < t.width; ++first) {
      float sum = 0;
      for (std::size_t token = 0; token < t.count; ++token)
        sum += t.scores[token] * t.values[token * t.width + first];
      t.out[first] = sum * inverse;
    }
  }

 private:
  /// Into the second cache: the first one takes too few lines at a time.
  FMSB_KERNEL void fetch(const float* from, std::size_t count) {
    for (std::size_t i = 0; i < count; i += 16) __builtin_prefetch(from + i, 0, 2);
  }

  /// The values of all tokens by their weights, `Vectors` vectors of features at a time.
  template <int Lanes, std::size_t Vectors>
  FMSB_KERNEL void mix(const attend_one_task& t, std::size_t first, float inverse) {
    using vec = typename float_lanes<Lanes>::vec;
    using loose = typename float_lanes<Lanes>::loose;
    constexpr std::size_t size = float_lanes<Lanes>::size;
    vec sum[Vectors];
    FMSB_UNROLL
    for (std::size_t i = 0; i < Vectors; ++i) sum[i] = vec{};
    const float* from = t.values + first;
    for (std::size_t token = 0; token < t.count; ++token, from += t.width) {
      const float weight = t.scores[token];
      FMSB_UNROLL
      for (std::size_t i = 0; i < Vectors; ++i)
        sum[i] += weight * *reinterpret_cast<const loose*>(from + i * size);
    }
    FMSB_UNROLL
    for (std::size_t i = 0; i < Vectors; ++i)
      *reinterpret_cast<loose*>(t.out + first + i * size) = sum[i] * inverse;
  }
};

struct rms_kernel {
  template <int Lanes>
  FMSB_KERNEL void run(const rms_task* task) {
    using lanes = float_lanes<Lanes>;
    using vec = typename lanes::vec;
    using loose = typename lanes::loose;
    constexpr std::size_t size = lanes::size;
    const rms_task& t = *task;
    const std::size_t whole = t.width / size * size;
    for (std::size_t row = 0; row < t.count; ++row) {
      const float* const x = t.rows + row * t.stride;
      vec sums{};
      for (std::size_t i = 0; i < whole; i += size) {
        const vec values = *reinterpret_cast<const loose*>(x + i);
        sums += values * values;
      }
      float sum = lanes::sum(sums);
      for (std::size_t i = whole; i < t.width; ++i) sum += x[i] * x[i];
      const auto mean = static_cast<double>(sum) / static_cast<double>(t.width);
      t.scales[row] = static_cast<float>(1 / __builtin_sqrt(mean + t.epsilon));
    }
  }
};

}  // namespace detail

/// Makes weights of scores: exp(score - largest), and what they are to be multiplied by.
inline void soften(const softmax_task& task) { isa::run<detail::softmax_rows>(&task); }

/// softmax(scale q K' + bias) V for one query.
inline void attend_one(const attend_one_task& task) { isa::run<detail::attend_one_kernel>(&task); }

/// The factors of a root-mean-square norm.
inline void find_rms_scales(const rms_task& task) { isa::run<detail::rms_kernel>(&task); }

/// Queries of one head and what they attend to: keys and values in panels, which any number of calls share.
struct attend_task {
  const float* queries = nullptr;  ///< [rows, width]
  std::size_t query_stride = 0;
  std::size_t rows = 0, width = 0, tokens = 0;
  const float* keys = nullptr;  ///< `pack_rows` of [tokens, width]
  const float* values =
      nullptr;                  ///< [panels_for(width), tokens, 32]: 32 features of each token, then the next
  float scale = 1;              ///< of the scores
  const float* bias = nullptr;  ///< [tokens] of the first query; null: none
  std::ptrdiff_t bias_stride = 0;
  const float* hidden = nullptr;  ///< [tokens], the same for all queries; null: none
  float* scores = nullptr;        ///< [rows, tokens] and [2, rows], for the function's use
  float* out = nullptr;           ///< [rows, width]
  std::size_t out_stride = 0;
  const float* next_keys = nullptr;  ///< keys that the next call reads, to be fetched meanwhile; null: none
};

/// Floats that `attend_task::scores` needs.
constexpr std::size_t attend_floats(std::size_t rows, std::size_t tokens) {
  return rows * (panels_for(tokens) * kPanel + 16) + 2 * rows;
}

/// softmax(scale Q K' + bias) V.
inline void attend(const attend_task& t) {
  const std::size_t stride = panels_for(t.tokens) * kPanel + 16;  // rows start in different sets of the cache
  float *const sums = t.scores + t.rows * stride, *const scales = sums + t.rows;
  if (t.scale != 1)
    for (std::size_t i = 0; i < t.rows; ++i) scales[i] = t.scale;
  multiply({.left = t.queries,
            .left_stride = t.query_stride,
            .rows = t.rows,
            .depth = t.width,
            .panels = t.keys,
            .columns = t.tokens,
            .out = t.scores,
            .out_stride = stride,
            .end = {.row_scale = t.scale == 1 ? nullptr : scales},
            .next = t.values});
  soften({.scores = t.scores,
          .stride = stride,
          .rows = t.rows,
          .count = t.tokens,
          .bias = t.bias,
          .bias_stride = t.bias_stride,
          .hidden = t.hidden,
          .inverse_sums = sums});
  multiply({.left = t.scores,
            .left_stride = stride,
            .rows = t.rows,
            .depth = t.tokens,
            .panels = t.values,
            .columns = t.width,
            .out = t.out,
            .out_stride = t.out_stride,
            .end = {.row_scale = sums},
            .next = t.next_keys});
}

}  // namespace fmsb::nn
