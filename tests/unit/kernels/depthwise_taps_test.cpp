#include "fmsb/nn/kernels/depthwise_taps.hpp"

#include "fmsb/space/conv_space.hpp"  // kernel_sizes, dilations, taps
#include "fmsb/space/product.hpp"     // product

#include "support/guarded.hpp"
#include "support/held_signal.hpp"
#include "support/levels.hpp"
#include "support/property.hpp"

#include <array>    // std::array
#include <cmath>    // std::abs
#include <cstddef>  // std::size_t, std::ptrdiff_t
#include <limits>   // std::numeric_limits
#include <vector>   // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::drawn_number;
using test::held_signal;
using test::value_of;

namespace {

constexpr std::array far_apart{-9, -4, 0, 1, 6};                                           // not symmetric
constexpr auto genomics = space::taps<space::product<space::kernel_sizes<3, 5, 7, 9, 11>,  // 35 taps
                                                     space::dilations<1, 3, 5, 7>>>;
constexpr auto wide =
    space::taps<space::product<space::kernel_sizes<3, 7, 11, 15, 19, 23>,  // more than run straight
                               space::dilations<1, 3, 7, 15>>>;
static_assert(genomics.size() == 35 && wide.size() > 64);

/// Half a unit in the last place, relative.
template <class Stored>
constexpr double rounding = std::is_same_v<Stored, nn::bfloat16>
                                ? 1.0 / 256
                                : std::numeric_limits<nn::computed_in<Stored>>::epsilon() / 2;

/// A number beside the sum that it should be, and the sum of the sizes of what was added.
struct exact_sum {
  double value = 0, size = 0;
  std::size_t terms = 0;
  void add(double term) {
    value += term;
    size += std::abs(term);
    ++terms;
  }
  /// Whether a sum computed in `Real` and stored as `Stored` may be this one.
  template <class Stored>
  bool is(double computed) const {
    const double real = std::numeric_limits<nn::computed_in<Stored>>::epsilon();
    return std::abs(computed - value) <=
           static_cast<double>(terms + 2) * real * size + rounding<Stored> * std::abs(value);
  }
};

template <std::array Offsets, class Stored>
void is_a_convolution() {
  using real = nn::computed_in<Stored>;
  using held = held_signal<Stored>;
  const std::size_t batch = *rc::gen::inRange<std::size_t>(1, 6),
                    channels = *rc::gen::inRange<std::size_t>(1, 40),
                    length = *rc::gen::element<std::size_t>(1, 3, 8, 15, 16, 17, 40, 129),
                    stride = *rc::gen::inRange<std::size_t>(1, 4), outputs = (length + stride - 1) / stride;
  const auto order = static_cast<test::memory_order>(*rc::gen::inRange(0, 3));
  const auto side = *rc::gen::element(test::guarded<Stored>::side::back, test::guarded<Stored>::side::front);
  held x(order, batch, channels, 1, length, side), gy(order, batch, channels, 1, outputs, side);
  x.draw();
  gy.draw();
  std::vector<real> taps(channels * Offsets.size()), bias(channels);
  for (real& w : taps) w = static_cast<real>(drawn_number());
  for (real& w : bias) w = static_cast<real>(drawn_number());
  const auto inside = [&](std::ptrdiff_t p) { return p >= 0 && p < static_cast<std::ptrdiff_t>(length); };

  for (const auto level : test::levels()) {
    const nn::lane_units units(batch, channels, nn::lanes_at<real>(level));
    const held y(order, batch, channels, 1, outputs, side), gx(order, batch, channels, 1, length, side);
    const test::guarded<real> scratch(nn::depthwise_scratch<Offsets>(units.lanes), real{5}),
        sums(units.count() * (Offsets.size() + 1) * units.lanes, real{5});
    const nn::depthwise_task<Stored> task{.batch = batch,
                                          .channels = channels,
                                          .length = length,
                                          .stride = stride,
                                          .taps = taps.data(),
                                          .bias = bias.data(),
                                          .x = x.template view<const Stored>(),
                                          .gy = gy.template view<const Stored>(),
                                          .y = y.template view<Stored>(),
                                          .gx = gx.template view<Stored>(),
                                          .sums = sums.data(),
                                          .scratch = scratch.data()};
    const std::size_t half = units.count() / 2;
    nn::depthwise_forward<Offsets>(task, half, units.count(), level);
    nn::depthwise_forward<Offsets>(task, 0, half, level);
    nn::depthwise_backward<Offsets>(task, half, units.count(), level);
    nn::depthwise_backward<Offsets>(task, 0, half, level);
    std::vector<real> of_taps(taps.size()), of_bias(channels);
    nn::add_up(sums.data(), Offsets.size(), units, of_taps.data(), of_bias.data());

    for (std::size_t c = 0; c < channels; ++c) {
      std::vector<exact_sum> wanted(Offsets.size() + 1);
      for (std::size_t b = 0; b < batch; ++b) {
        std::vector<exact_sum> back(length);
        for (std::size_t t = 0; t < outputs; ++t) {
          exact_sum out;
          const double g = value_of(gy.at(b, c, 0, t));
          out.add(static_cast<double>(bias[c]));
          wanted.back().add(g);
          for (std::size_t i = 0; i < Offsets.size(); ++i) {
            const auto p = static_cast<std::ptrdiff_t>(t * stride) + Offsets[i];
            if (!inside(p)) continue;
            const auto place = static_cast<std::size_t>(p);
            const double w = static_cast<double>(taps[i * channels + c]), v = value_of(x.at(b, c, 0, place));
            out.add(w * v);
            back[place].add(w * g);
            wanted[i].add(g * v);
          }
          RC_ASSERT(out.template is<Stored>(value_of(y.at(b, c, 0, t))));
        }
        for (std::size_t p = 0; p < length; ++p)
          RC_ASSERT(back[p].template is<Stored>(value_of(gx.at(b, c, 0, p))));
      }
      for (std::size_t i = 0; i < Offsets.size(); ++i)
        RC_ASSERT(wanted[i].template is<real>(static_cast<double>(of_taps[i * channels + c])));
      RC_ASSERT(wanted.back().template is<real>(static_cast<double>(of_bias[c])));
    }
  }
}

}  // namespace

TEST_CASE(
    "depthwise taps are the convolution and its gradients, at every level, order of memory and stride") {
  CHECK(test::holds("float, offsets without symmetry", [] { is_a_convolution<far_apart, float>(); }));
  CHECK(test::holds("float, a search space", [] { is_a_convolution<genomics, float>(); }));
  CHECK(test::holds("double", [] { is_a_convolution<far_apart, double>(); }));
  CHECK(test::holds("bfloat16, summed in float", [] { is_a_convolution<far_apart, nn::bfloat16>(); }));
}

TEST_CASE("depthwise taps: more taps than run as straight code") {
  CHECK(test::holds("float, 80 taps", [] { is_a_convolution<wide, float>(); }));
}

TEST_CASE("depthwise taps: a row longer than a tile") {
  constexpr std::array offsets{-700, -3, 0, 2, 650};
  constexpr std::size_t length = 2500, channels = 3;
  for (const auto level : test::levels()) {
    const nn::lane_units units(1, channels, nn::lanes_at<float>(level));
    const test::guarded<float> x(channels * length), y(channels * length), gx(channels * length),
        scratch(nn::depthwise_scratch<offsets>(units.lanes)), sums(units.count() * 6 * units.lanes);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1009);  // exact in float
    const std::vector<float> taps{1, -2, 3, 1, -1, 0, 1, 0, 2, 0, 5, 0, 0, 0, 1};
    const nn::signal<const float> from{x.data(), 0, length, 1};
    const nn::depthwise_task<float> task{.batch = 1,
                                         .channels = channels,
                                         .length = length,
                                         .taps = taps.data(),
                                         .x = from,
                                         .gy = from,
                                         .y = {y.data(), 0, length, 1},
                                         .gx = {gx.data(), 0, length, 1},
                                         .sums = sums.data(),
                                         .scratch = scratch.data()};
    nn::depthwise_forward<offsets>(task, 0, units.count(), level);
    nn::depthwise_backward<offsets>(task, 0, units.count(), level);
    std::size_t wrong = 0;
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < length; ++t) {
        float ahead = 0, back = 0;
        for (std::size_t i = 0; i < offsets.size(); ++i) {
          const auto p = static_cast<std::ptrdiff_t>(t) + offsets[i],
                     q = static_cast<std::ptrdiff_t>(t) - offsets[i];
          if (p >= 0 && p < static_cast<std::ptrdiff_t>(length))
            ahead += taps[i * channels + c] * x[c * length + static_cast<std::size_t>(p)];
          if (q >= 0 && q < static_cast<std::ptrdiff_t>(length))
            back += taps[i * channels + c] * x[c * length + static_cast<std::size_t>(q)];
        }
        if (y[c * length + t] != ahead || gx[c * length + t] != back) ++wrong;
      }
    CHECK(wrong == 0);
  }
}
