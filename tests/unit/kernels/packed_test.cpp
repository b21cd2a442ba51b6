#include "fmsb/core/isa.hpp"  // isa::run_at
#include "fmsb/nn/kernels/attend.hpp"
#include "fmsb/nn/kernels/panels.hpp"
#include "fmsb/nn/kernels/random_keep.hpp"

#include "support/levels.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::max
#include <cmath>      // std::exp
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <limits>     // std::numeric_limits
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

nn::float_buffer drawn(std::size_t count) {
  nn::float_buffer values(count);
  for (float& x : values) x = static_cast<float>(*rc::gen::inRange(-1000, 1000)) / 500;
  return values;
}

/// V as the kernels want it: 32 features of each token, then the next 32.
nn::float_buffer value_panels(const nn::float_buffer& values, std::size_t tokens, std::size_t width) {
  nn::float_buffer panels(nn::panel_floats(width, tokens), 0.0F);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t j = 0; j < width; ++j)
      panels[(j / nn::kPanel) * tokens * nn::kPanel + t * nn::kPanel + j % nn::kPanel] =
          values[t * width + j];
  return panels;
}

/// softmax(scale q K' + bias) V from the definition, in double.
std::vector<double> plain_attention(const float* query, const nn::float_buffer& keys,
                                    const nn::float_buffer& values, const float* bias, std::size_t tokens,
                                    std::size_t width, double scale) {
  std::vector<double> weights(tokens), out(width, 0.0);
  double most = -1e300, sum = 0;
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = 0; j < width; ++j)
      weights[t] += scale * static_cast<double>(query[j]) * static_cast<double>(keys[t * width + j]);
    weights[t] += static_cast<double>(bias[t]);
    most = std::max(most, weights[t]);
  }
  for (double& w : weights) sum += w = std::exp(w - most);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t j = 0; j < width; ++j)
      out[j] += weights[t] / sum * static_cast<double>(values[t * width + j]);
  return out;
}

bool close(float x, double wanted, double tolerance) {
  return std::abs(static_cast<double>(x) - wanted) <= tolerance * (1 + std::abs(wanted));
}

}  // namespace

TEST_CASE("a product through panels is the product, with all that may end it, at every level") {
  CHECK(test::holds("out = max(scale (x W') + bias + added, 0)", [] {
    const std::size_t rows = *rc::gen::inRange<std::size_t>(1, 30),
                      depth = *rc::gen::inRange<std::size_t>(1, 40),
                      columns = *rc::gen::inRange<std::size_t>(1, 80), stride = depth + 3;
    const auto left = drawn(rows * stride), weight = drawn(columns * depth), gain = drawn(depth);
    const auto scale = drawn(rows), bias = drawn(columns), added = drawn(rows * columns);
    const bool ends = *rc::gen::arbitrary<bool>(), rectified = *rc::gen::arbitrary<bool>();
    nn::float_buffer panels(nn::panel_floats(columns, depth));
    nn::pack_rows(weight.data(), depth, columns, depth, gain.data(), panels.data());
    for (const auto level : test::levels()) {
      nn::float_buffer out(rows * columns, -7.0F);
      nn::product_task task{.left = left.data(),
                            .left_stride = stride,
                            .rows = rows,
                            .depth = depth,
                            .panels = panels.data(),
                            .columns = columns,
                            .out = out.data(),
                            .out_stride = columns,
                            .end = {.rectified = rectified}};
      if (ends) {
        task.end.row_scale = scale.data();
        task.end.bias = bias.data();
        task.end.added = added.data();
        task.end.added_stride = columns;
      }
      isa::run_at<nn::detail::panel_product>(level, static_cast<const nn::product_task*>(&task));
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) {
          double sum = 0, size = 1;
          for (std::size_t k = 0; k < depth; ++k) {
            const double term = static_cast<double>(left[i * stride + k]) *
                                static_cast<double>(weight[j * depth + k] * gain[k]);
            sum += term;
            size += std::abs(term);
          }
          if (ends)
            sum = sum * static_cast<double>(scale[i]) + static_cast<double>(bias[j]) +
                  static_cast<double>(added[i * columns + j]);
          if (rectified) sum = std::max(sum, 0.0);
          // Each of the depth's additions rounds by 6e-8 of the sum of sizes at most.
          RC_ASSERT(std::abs(static_cast<double>(out[i * columns + j]) - sum) <= 5e-6 * size);
        }
    }
  }));
}

TEST_CASE("a row's product does not depend on the rows beside it, to the bit") {
  CHECK(test::holds("rows one by one equal rows together", [] {
    const std::size_t rows = *rc::gen::inRange<std::size_t>(1, 30),
                      depth = *rc::gen::inRange<std::size_t>(1, 40),
                      columns = *rc::gen::inRange<std::size_t>(1, 70);
    const auto left = drawn(rows * depth), weight = drawn(columns * depth);
    nn::float_buffer panels(nn::panel_floats(columns, depth)), together(rows * columns),
        alone(rows * columns);
    nn::pack_rows(weight.data(), depth, columns, depth, nullptr, panels.data());
    const auto multiply = [&](std::size_t first, std::size_t count, float* out) {
      nn::multiply({.left = left.data() + first * depth,
                    .left_stride = depth,
                    .rows = count,
                    .depth = depth,
                    .panels = panels.data(),
                    .columns = columns,
                    .out = out + first * columns,
                    .out_stride = columns});
    };
    multiply(0, rows, together.data());
    for (std::size_t i = 0; i < rows; ++i) multiply(i, 1, alone.data());
    RC_ASSERT(together == alone);
  }));
}

TEST_CASE("queries attend to a sequence in panels as the definition says") {
  CHECK(test::holds("softmax(scale Q K' + bias) V", [] {
    const std::size_t rows = *rc::gen::inRange<std::size_t>(1, 25),
                      width = *rc::gen::inRange<std::size_t>(1, 70),
                      tokens = *rc::gen::inRange<std::size_t>(1, 90);
    const auto queries = drawn(rows * width), keys = drawn(tokens * width), values = drawn(tokens * width);
    const auto bias = drawn(tokens + rows), hidden = drawn(tokens);
    const float scale = 0.25F;
    nn::float_buffer key_panels(nn::panel_floats(tokens, width));
    nn::pack_rows(keys.data(), width, tokens, width, nullptr, key_panels.data());
    const auto panels = value_panels(values, tokens, width);
    nn::float_buffer scores(nn::attend_floats(rows, tokens)), out(rows * width);
    nn::attend({.queries = queries.data(),
                .query_stride = width,
                .rows = rows,
                .width = width,
                .tokens = tokens,
                .keys = key_panels.data(),
                .values = panels.data(),
                .scale = scale,
                .bias = bias.data() + rows,
                .bias_stride = -1,  // each query's bias starts one place earlier: by distance
                .hidden = hidden.data(),
                .scores = scores.data(),
                .out = out.data(),
                .out_stride = width});
    for (std::size_t i = 0; i < rows; ++i) {
      nn::float_buffer all(tokens);
      for (std::size_t t = 0; t < tokens; ++t) all[t] = bias[rows - i + t] + hidden[t];
      const auto wanted = plain_attention(queries.data() + i * width, keys, values, all.data(), tokens, width,
                                          static_cast<double>(scale));
      for (std::size_t j = 0; j < width; ++j) RC_ASSERT(close(out[i * width + j], wanted[j], 5e-5));
    }
  }));
}

TEST_CASE("a query attends to its past as the definition says, at every level") {
  CHECK(test::holds("softmax(scale q K' + bias) V", [] {
    const std::size_t width = *rc::gen::inRange<std::size_t>(1, 90),
                      tokens = *rc::gen::inRange<std::size_t>(1, 70);
    const auto query = drawn(width), keys = drawn(tokens * width), values = drawn(tokens * width),
               bias = drawn(tokens);
    const auto wanted = plain_attention(query.data(), keys, values, bias.data(), tokens, width, 0.5);
    for (const auto level : test::levels()) {
      nn::float_buffer scores(tokens), out(width);
      const nn::attend_one_task task{.query = query.data(),
                                     .keys = keys.data(),
                                     .values = values.data(),
                                     .bias = bias.data(),
                                     .width = width,
                                     .count = tokens,
                                     .scale = 0.5F,
                                     .scores = scores.data(),
                                     .out = out.data()};
      isa::run_at<nn::detail::attend_one_kernel>(level, &task);
      for (std::size_t j = 0; j < width; ++j) RC_ASSERT(close(out[j], wanted[j], 5e-5));
    }
  }));
}

TEST_CASE("weights of scores are exponentials to 3e-7, and nothing where a score lies far below") {
  for (const auto level : test::levels()) {
    nn::float_buffer scores(1001);
    for (std::size_t i = 0; i < 1001; ++i) scores[i] = -static_cast<float>(i) / 10;
    const auto before = scores;
    float inverse = 0;
    const nn::softmax_task task{
        .scores = scores.data(), .stride = 1001, .rows = 1, .count = 1001, .inverse_sums = &inverse};
    isa::run_at<nn::detail::softmax_rows>(level, &task);
    double sum = 0;
    for (std::size_t i = 0; i < 1001; ++i) {
      const double wanted = std::exp(static_cast<double>(before[i]));
      sum += wanted;
      if (before[i] < -87)
        CHECK(scores[i] == 0);
      else
        CHECK(std::abs(static_cast<double>(scores[i]) - wanted) <= 3e-7 * wanted);
    }
    CHECK(static_cast<double>(inverse) * sum == doctest::Approx(1).epsilon(1e-6));
  }
}

TEST_CASE("rows of which everything is hidden by the lowest float are weighed alike") {
  nn::float_buffer scores{1, 2, -3}, hidden(3, std::numeric_limits<float>::lowest());
  float inverse = 0;
  nn::soften({.scores = scores.data(),
              .stride = 3,
              .rows = 1,
              .count = 3,
              .hidden = hidden.data(),
              .inverse_sums = &inverse});
  for (const float weight : scores) CHECK(weight * inverse == doctest::Approx(1.0 / 3));
}

TEST_CASE("a random choice depends on seed and place alone, at every level") {
  CHECK(test::holds("stretches equal the whole", [] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const std::size_t count = *rc::gen::inRange<std::size_t>(1, 200),
                      cut = *rc::gen::inRange<std::size_t>(0, count);
    nn::float_buffer whole(count), parts(count);
    nn::draw_kept({.seed = seed, .first = 0, .count = count, .rate = 0.3, .kept = 2, .out = whole.data()});
    for (const auto level : test::levels()) {
      const nn::random_keep_task first{
          .seed = seed, .first = 0, .count = cut, .rate = 0.3, .kept = 2, .out = parts.data()};
      const nn::random_keep_task second{.seed = seed,
                                        .first = cut,
                                        .count = count - cut,
                                        .rate = 0.3,
                                        .kept = 2,
                                        .out = parts.data() + cut};
      isa::run_at<nn::detail::random_keep_kernel>(level, &first);
      isa::run_at<nn::detail::random_keep_kernel>(level, &second);
      RC_ASSERT(parts == whole);
    }
  }));
}

TEST_CASE("a random choice keeps as many as its rate says, neighbours and seeds apart") {
  constexpr std::size_t count = 1 << 20;
  nn::float_buffer one(count), other(count);
  for (const double rate : {0.0, 0.1, 0.5, 0.9}) {
    nn::draw_kept({.seed = 1, .count = count, .rate = rate, .out = one.data()});
    nn::draw_kept({.seed = 2, .count = count, .rate = rate, .out = other.data()});
    double kept = 0, both = 0, neighbours = 0;
    for (std::size_t i = 0; i < count; ++i) {
      kept += static_cast<double>(one[i]);
      both += static_cast<double>(one[i] * other[i]);
      if (i > 0) neighbours += static_cast<double>(one[i] * one[i - 1]);
    }
    const double share = 1 - rate;  // deviations of the means: 0.0005 at most; five of them
    CHECK(std::abs(kept / count - share) < 0.0025);
    CHECK(std::abs(both / count - share * share) < 0.0025);
    CHECK(std::abs(neighbours / count - share * share) < 0.0025);
  }
}
