// Convolutions by the library's transforms, every channel alone and all with all, against their sums.
#include "fmsb/nn/kernels/dense_spectrum.hpp"
#include "fmsb/nn/kernels/depthwise_spectrum.hpp"

#include "support/guarded.hpp"
#include "support/held_signal.hpp"
#include "support/levels.hpp"
#include "support/property.hpp"

#include <cmath>             // std::abs, std::sqrt
#include <cstddef>           // std::size_t, std::ptrdiff_t
#include <initializer_list>  // std::initializer_list
#include <limits>            // std::numeric_limits
#include <type_traits>       // std::is_same_v
#include <vector>            // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using nn::dense_step;

namespace {

std::vector<nn::plane_offset> consecutive(int count) {
  std::vector<nn::plane_offset> all;
  for (int i = 0; i < count; ++i) all.push_back({0, i - count / 2});
  return all;
}

const std::vector<nn::plane_offset> along{{0, -9}, {0, -4}, {0, 0}, {0, 1}, {0, 6}},
    many = consecutive(90),  // more than a pruned transform is made for
    plane{{-3, -2}, {-3, 5}, {-1, 0}, {0, 0}, {0, 2}, {2, -7}, {2, 1}, {4, 4}};

/// A drawn problem, its memory between guard pages, and what the sums say.
template <class Stored>
struct problem {
  using real = nn::computed_in<Stored>;
  using held = test::held_signal<Stored>;
  using side = typename test::guarded<Stored>::side;
  const std::vector<nn::plane_offset>& offsets;
  bool depthwise;
  std::size_t batch = *rc::gen::inRange<std::size_t>(1, 8), in = *rc::gen::inRange<std::size_t>(1, 36),
              out = depthwise ? in : *rc::gen::inRange<std::size_t>(1, 36),
              rows = offsets == along || offsets == many ? 1 : *rc::gen::inRange<std::size_t>(1, 12),
              length = *rc::gen::element<std::size_t>(1, 3, 15, 16, 17, 40),
              stride = *rc::gen::inRange<std::size_t>(1, 4), out_rows = (rows + stride - 1) / stride,
              out_length = (length + stride - 1) / stride;
  test::memory_order order = static_cast<test::memory_order>(*rc::gen::inRange(0, 3));
  side at = *rc::gen::element(side::back, side::front);
  held x{order, batch, in, rows, length, at}, gy{order, batch, out, out_rows, out_length, at};
  std::vector<real> taps = drawn(offsets.size() * out * seen()), bias = drawn(out);
  std::vector<double> y = std::vector<double>(batch * out * out_rows * out_length),
                      gx = std::vector<double>(batch * in * rows * length),
                      gtaps = std::vector<double>(taps.size()), gbias = std::vector<double>(out);

  problem(const std::vector<nn::plane_offset>& of, bool alone) : offsets(of), depthwise(alone) {
    x.draw();
    gy.draw();
    solve();
  }

  std::size_t seen() const { return depthwise ? 1 : in; }
  static std::vector<real> drawn(std::size_t count) {
    std::vector<real> all(count);
    for (real& w : all) w = static_cast<real>(test::drawn_number());
    return all;
  }

  void solve() {
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t o = 0; o < out; ++o)
        for (std::size_t h = 0; h < out_rows; ++h)
          for (std::size_t w = 0; w < out_length; ++w) {
            const double g = test::value_of(gy.at(b, o, h, w));
            double& sum = y[((b * out + o) * out_rows + h) * out_length + w];
            sum = static_cast<double>(bias[o]);
            gbias[o] += g;
            for (std::size_t i = 0; i < offsets.size(); ++i) {
              const auto row = static_cast<std::ptrdiff_t>(h * stride) + offsets[i][0],
                         position = static_cast<std::ptrdiff_t>(w * stride) + offsets[i][1];
              if (row < 0 || row >= static_cast<std::ptrdiff_t>(rows) || position < 0 ||
                  position >= static_cast<std::ptrdiff_t>(length))
                continue;
              const auto r = static_cast<std::size_t>(row), p = static_cast<std::size_t>(position);
              for (std::size_t s = 0; s < seen(); ++s) {
                const std::size_t c = depthwise ? o : s, tap = (i * out + o) * seen() + s;
                const double v = test::value_of(x.at(b, c, r, p));
                sum += static_cast<double>(taps[tap]) * v;
                gx[((b * in + c) * rows + r) * length + p] += static_cast<double>(taps[tap]) * g;
                gtaps[tap] += g * v;
              }
            }
          }
  }

  static double norm(const std::vector<real>& all) {
    double sum = 0;
    for (const real w : all) sum += static_cast<double>(w) * static_cast<double>(w);
    return std::sqrt(sum);
  }

  /// The error of a number computed by transforms is one of all that it is computed from, not of itself.
  static bool is(double computed, double wanted, double size) {
    const double half_unit = std::is_same_v<Stored, nn::bfloat16> ? 1.0 / 256 : 0;
    return std::abs(computed - wanted) <=
           4 * static_cast<double>(std::numeric_limits<real>::epsilon()) * size +
               half_unit * std::abs(wanted);
  }
  void require_y(const held& found) const {
    const double size = x.norm() * norm(taps) + norm(bias);
    for (std::size_t b = 0, i = 0; b < batch; ++b)
      for (std::size_t o = 0; o < out; ++o)
        for (std::size_t h = 0; h < out_rows; ++h)
          for (std::size_t w = 0; w < out_length; ++w, ++i)
            RC_ASSERT(is(test::value_of(found.at(b, o, h, w)), y[i], size));
  }
  void require_gx(const held& found) const {
    const double size = gy.norm() * norm(taps);
    for (std::size_t b = 0, i = 0; b < batch; ++b)
      for (std::size_t c = 0; c < in; ++c)
        for (std::size_t h = 0; h < rows; ++h)
          for (std::size_t w = 0; w < length; ++w, ++i)
            RC_ASSERT(is(test::value_of(found.at(b, c, h, w)), gx[i], size));
  }
  void require_sums(const std::vector<real>& found, const std::vector<double>& wanted) const {
    const double size =
        gy.norm() * (x.norm() + std::sqrt(static_cast<double>(batch * out_rows * out_length)));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double error = std::abs(static_cast<double>(found[i]) - wanted[i]);
      RC_ASSERT(error <= 4 * static_cast<double>(std::numeric_limits<real>::epsilon()) * size);
    }
  }
};

template <class Stored>
void is_a_depthwise_convolution(const std::vector<nn::plane_offset>& offsets) {
  using real = nn::computed_in<Stored>;
  const problem<Stored> p(offsets, true);
  const nn::plane_plan<real> plan(p.rows, p.length, offsets);
  for (const auto level : test::levels()) {
    const auto units = nn::spectrum_units(p.batch, p.in, nn::lanes_at<real>(level));
    const test::held_signal<Stored> y(p.order, p.batch, p.in, p.out_rows, p.out_length, p.at),
        gx(p.order, p.batch, p.in, p.rows, p.length, p.at);
    const test::guarded<real> scratch(nn::spectrum_scratch(plan, units.lanes), real{5}),
        sums(units.count() * (offsets.size() + 1) * units.lanes, real{5});
    const nn::spectrum_task<Stored> task{.plan = &plan,
                                         .batch = p.batch,
                                         .channels = p.in,
                                         .stride = p.stride,
                                         .taps = p.taps.data(),
                                         .bias = p.bias.data(),
                                         .x = p.x.template view<const Stored>(),
                                         .gy = p.gy.template view<const Stored>(),
                                         .y = y.template view<Stored>(),
                                         .gx = gx.template view<Stored>(),
                                         .sums = sums.data(),
                                         .scratch = scratch.data()};
    const std::size_t half = units.count() / 2;
    nn::depthwise_spectrum_forward(task, half, units.count(), level);
    nn::depthwise_spectrum_forward(task, 0, half, level);
    p.require_y(y);
    nn::depthwise_spectrum_backward(task, half, units.count(), level);
    nn::depthwise_spectrum_backward(task, 0, half, level);
    std::vector<real> of_taps(p.taps.size()), of_bias(p.in);
    nn::add_up(sums.data(), offsets.size(), units, of_taps.data(), of_bias.data());
    p.require_gx(gx);
    p.require_sums(of_taps, p.gtaps);
    p.require_sums(of_bias, p.gbias);

    // Each gradient without the other.
    auto only = task;
    only.sums = nullptr;
    for (Stored& v : gx.memory) v = test::stored<Stored>(7);
    nn::depthwise_spectrum_backward(only, 0, units.count(), level);
    p.require_gx(gx);
    only = task;
    only.gx.at = nullptr;
    for (real& v : sums) v = 5;
    nn::depthwise_spectrum_backward(only, 0, units.count(), level);
    nn::add_up(sums.data(), offsets.size(), units, of_taps.data(), of_bias.data());
    p.require_sums(of_taps, p.gtaps);
  }
}

template <class Stored>
void is_a_dense_convolution(const std::vector<nn::plane_offset>& offsets) {
  using real = nn::computed_in<Stored>;
  const problem<Stored> p(offsets, false);
  const nn::dense_plan<real> plan(nn::plane_plan<real>(p.rows, p.length, offsets));
  std::vector<real> turned(p.taps.size()), of_taps(p.taps.size());
  for (std::size_t i = 0; i < offsets.size(); ++i)
    for (std::size_t o = 0; o < p.out; ++o)
      for (std::size_t c = 0; c < p.in; ++c)
        turned[(i * p.in + c) * p.out + o] = p.taps[(i * p.out + o) * p.in + c];
  for (const auto level : test::levels()) {
    const test::held_signal<Stored> y(p.order, p.batch, p.out, p.out_rows, p.out_length, p.at),
        gx(p.order, p.batch, p.in, p.rows, p.length, p.at);
    nn::dense_task<Stored> task;
    task.plan = &plan;
    task.batch = p.batch;
    task.in = p.in;
    task.out = p.out;
    task.stride = p.stride;
    task.level = level;
    task.x = p.x.template view<const Stored>();
    task.gy = p.gy.template view<const Stored>();
    task.y = y.template view<Stored>();
    task.gx = gx.template view<Stored>();
    task.bias = p.bias.data();
    const test::guarded<real> x_spectrum(task.spectrum_numbers(p.in), real{5}),
        y_spectrum(task.spectrum_numbers(p.out), real{5}), ahead(task.matrix_numbers(p.in, p.out), real{5}),
        back(task.matrix_numbers(p.out, p.in), real{5}), sums(task.matrix_numbers(p.out, p.in), real{5}),
        scratch(task.scratch(), real{5});
    const auto run = [&](std::initializer_list<dense_step> steps) {
      for (const auto step : steps) {
        const std::size_t items = task.items(step), half = items / 2;
        nn::dense_spectrum(task, step, half, items, scratch.data());
        nn::dense_spectrum(task, step, 0, half, scratch.data());
      }
    };
    task.x_spectrum = x_spectrum.data();
    task.y_spectrum = y_spectrum.data();
    task.taps = turned.data();
    task.matrices = ahead.data();
    run({dense_step::load_x, dense_step::load_taps, dense_step::multiply, dense_step::store_y});
    p.require_y(y);
    task.taps = p.taps.data();
    task.matrices = back.data();
    task.sums = sums.data();
    task.taps_gradient = of_taps.data();
    run({dense_step::load_gy, dense_step::load_taps_back, dense_step::multiply_back, dense_step::store_gx,
         dense_step::store_taps});
    p.require_gx(gx);
    p.require_sums(of_taps, p.gtaps);
  }
}

}  // namespace

TEST_CASE(
    "depthwise spectra are the convolution and its gradients, at every level, order of memory and stride") {
  CHECK(test::holds("float, along rows", [] { is_a_depthwise_convolution<float>(along); }));
  CHECK(test::holds("float, planes", [] { is_a_depthwise_convolution<float>(plane); }));
  CHECK(test::holds("double, planes", [] { is_a_depthwise_convolution<double>(plane); }));
  CHECK(test::holds("bfloat16, summed in float", [] { is_a_depthwise_convolution<nn::bfloat16>(along); }));
}

TEST_CASE("dense spectra are the convolution and its gradients, at every level, order of memory and stride") {
  CHECK(test::holds("float, along rows", [] { is_a_dense_convolution<float>(along); }));
  CHECK(test::holds("float, many taps along rows", [] { is_a_dense_convolution<float>(many); }));
  CHECK(test::holds("float, planes", [] { is_a_dense_convolution<float>(plane); }));
  CHECK(test::holds("double, planes", [] { is_a_dense_convolution<double>(plane); }));
}
