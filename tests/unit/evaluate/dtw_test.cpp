#include "fmsb/evaluate/dtw.hpp"

#include "fmsb/core/error.hpp"

#include "evaluate_support.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::min, std::reverse
#include <array>      // std::array
#include <vector>     // std::vector

#include "support/doctest.hpp"

namespace metrics = fmsb::metrics;
using fmsb::test::holds, fmsb::test::near, fmsb::test::kGap, fmsb::test::draw_numbers;
using metrics::dtw, metrics::dtw_cost;

namespace {

/// The whole table of costs, as the recursion is written in textbooks.
double plain_dtw(const std::vector<double>& a, const std::vector<double>& b,
                 const metrics::dtw_options& options) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::size_t n = a.size(), m = b.size(), difference = n > m ? n - m : m - n;
  const std::size_t band = std::max(options.band.value_or(n + m), difference);
  std::vector<std::vector<double>> table(n + 1, std::vector<double>(m + 1, kInfinity));
  table[0][0] = 0;
  for (std::size_t i = 1; i <= n; ++i)
    for (std::size_t j = 1; j <= m; ++j) {
      if ((i > j ? i - j : j - i) > band) continue;
      const double apart = a[i - 1] - b[j - 1];
      table[i][j] = (options.cost == dtw_cost::squared ? apart * apart : std::abs(apart)) +
                    std::min({table[i - 1][j], table[i][j - 1], table[i - 1][j - 1]});
    }
  return options.cost == dtw_cost::squared ? std::sqrt(table[n][m]) : table[n][m];
}

metrics::dtw_options draw_options() {
  metrics::dtw_options out{.cost = *rc::gen::element(dtw_cost::squared, dtw_cost::absolute)};
  if (*rc::gen::arbitrary<bool>()) out.band = *rc::gen::inRange<std::size_t>(0, 40);
  return out;
}

/// Lengths on both sides of what is computed by rows and what by diagonals, short ones most often.
std::size_t draw_length() {
  return *rc::gen::inRange(0, 3) == 0 ? *rc::gen::inRange<std::size_t>(1, 150)
                                      : *rc::gen::inRange<std::size_t>(1, 30);
}

}  // namespace

TEST_CASE("warping costs what the whole table says, for any lengths, band and cost") {
  CHECK(holds("dtw == the table's corner", [] {
    const auto a = draw_numbers(draw_length()), b = draw_numbers(draw_length());
    const auto options = draw_options();
    RC_ASSERT(near(dtw(a, b, options), plain_dtw(a, b, options)));
  }));
}

TEST_CASE("every instruction set gives the same distance, by diagonals and by rows") {
  CHECK(holds("kernels agree", [] {
    const auto n = draw_length(), m = n + *rc::gen::inRange<std::size_t>(0, 20);
    const auto band = m - n + *rc::gen::inRange<std::size_t>(0, 40);
    auto a = draw_numbers(n), b = draw_numbers(m);
    const double expected = plain_dtw(a, b, {.band = band, .cost = dtw_cost::absolute});
    std::reverse(b.begin(), b.end());
    a.resize(n + metrics::detail::kDtwSlack);
    b.resize(m + metrics::detail::kDtwSlack);
    std::vector<double> cells(3 * (n + 2 + metrics::detail::kDtwSlack));
    using fmsb::isa::level;
    for (const auto l : {level::baseline, level::avx2, level::avx512}) {
      if (l > fmsb::isa::current()) continue;
      double found = 0;
      fmsb::isa::run_at<metrics::detail::dtw_kernel<dtw_cost::absolute>>(
          l, &found, static_cast<const double*>(a.data()), n, static_cast<const double*>(b.data()), m, band,
          cells.data());
      RC_ASSERT(near(found, expected));
    }
    RC_ASSERT(
        near(metrics::detail::dtw_by_rows<dtw_cost::absolute>(a.data(), n, b.data(), m, band, cells.data()),
             expected));
  }));
}

TEST_CASE("warping is symmetric, a sequence is at no distance from itself, and a wide band is none") {
  CHECK(holds("laws of any two sequences", [] {
    const auto a = draw_numbers(draw_length()), b = draw_numbers(draw_length());
    const auto options = draw_options();
    RC_ASSERT(near(dtw(a, b, options), dtw(b, a, options)));
    RC_ASSERT(dtw(a, a, options) == 0);
    const metrics::dtw_options wide{.band = std::max(a.size(), b.size()), .cost = options.cost};
    RC_ASSERT(near(dtw(a, b, wide), dtw(a, b, {.cost = options.cost})));
    const metrics::dtw_options wider{.band = options.band.value_or(300) + 1, .cost = options.cost};
    RC_ASSERT(dtw(a, b, wider) <= dtw(a, b, options) * (1 + 1e-12) + 1e-12);
  }));
}

TEST_CASE("sequences of one length are never farther apart than without warping, and as far at band 0") {
  CHECK(holds("DTW <= Euclid", [] {
    const auto n = draw_length();
    const auto a = draw_numbers(n), b = draw_numbers(n);
    double squares = 0, sizes = 0;
    for (std::size_t i = 0; i < n; ++i) {
      squares += (a[i] - b[i]) * (a[i] - b[i]);
      sizes += std::abs(a[i] - b[i]);
    }
    RC_ASSERT(dtw(a, b) <= std::sqrt(squares) * (1 + 1e-12));
    RC_ASSERT(near(dtw(a, b, {.band = 0}), std::sqrt(squares)));
    RC_ASSERT(near(dtw(a, b, {.band = 0, .cost = dtw_cost::absolute}), sizes));
  }));
}

TEST_CASE("a repeated point costs nothing, and a late copy costs what its ends miss") {
  CHECK(dtw(std::vector<double>{1, 2, 3}, std::vector<double>{1, 1, 2, 2, 2, 3}) == 0);
  const std::vector<double> a{0, 0, 1, 2, 1, 0}, late{0, 0, 0, 1, 2, 1};
  CHECK(dtw(a, late, {.cost = dtw_cost::absolute}) == 1);
  CHECK(dtw(a, late) == 1);
  CHECK(dtw(a, late, {.band = 0, .cost = dtw_cost::absolute}) == 4);
  CHECK(dtw(std::vector<float>{1, 4}, std::vector<double>{2}, {.cost = dtw_cost::absolute}) == 3);
}

TEST_CASE("the mean over windows leaves gaps out of both, and halves merge") {
  CHECK(holds("dtw_accumulator by its definition", [] {
    const auto options = draw_options();
    metrics::dtw_accumulator all(options), first(options), second(options);
    double sum = 0;
    std::size_t count = 0;
    for (int w = *rc::gen::inRange(0, 10); w > 0; --w) {
      const auto n = *rc::gen::inRange<std::size_t>(1, 10);
      const auto truth = draw_numbers(n, 3), forecast = draw_numbers(n, 6);
      all.add(truth, forecast);
      (*rc::gen::arbitrary<bool>() ? first : second).add(truth, forecast);
      std::vector<double> y, f;
      for (std::size_t h = 0; h < n; ++h)
        if (!std::isnan(truth[h] + forecast[h])) {
          y.push_back(truth[h]);
          f.push_back(forecast[h]);
        }
      if (y.empty()) continue;
      sum += plain_dtw(y, f, options);
      ++count;
    }
    first.merge(second);
    RC_ASSERT(all.count() == count);
    RC_ASSERT(first.count() == count);
    RC_ASSERT(near(all.mean(), sum / static_cast<double>(count)));
    RC_ASSERT(near(first.mean(), all.mean()));
  }));
}

TEST_CASE("sequences of nothing or with gaps are refused") {
  const std::vector<double> some{1, 2}, none, gap{1, kGap};
  CHECK_THROWS_AS((void)dtw(some, none), fmsb::usage_error);
  CHECK_THROWS_AS((void)dtw(none, some), fmsb::usage_error);
  CHECK_THROWS_WITH_AS((void)dtw(some, gap), doctest::Contains("number 1 of the second sequence is a gap"),
                       fmsb::usage_error);
  metrics::dtw_accumulator windows;
  CHECK_THROWS_AS(windows.add(some, std::vector<double>(3)), fmsb::usage_error);
  windows.add(gap, std::vector{kGap, 1.0});
  CHECK(windows.count() == 0);
  CHECK(std::isnan(windows.mean()));
}
