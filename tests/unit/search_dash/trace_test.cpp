#include "fmsb/search/dash/trace.hpp"  // trace

#include "fmsb/core/error.hpp"              // usage_error
#include "fmsb/search/dash/candidates.hpp"  // likeliest

#include "support/message.hpp"
#include "support/property.hpp"

#include <algorithm>  // std::sort
#include <cmath>      // std::abs, std::log
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

/// Shares of so many records, places and points that sum to 1; some may be equal.
dash::trace drawn_trace(std::size_t records, std::size_t places, std::size_t points) {
  std::vector<double> shares;
  for (std::size_t row = 0; row < records * places; ++row) {
    double sum = 0;
    const std::size_t first = shares.size();
    for (std::size_t p = 0; p < points; ++p) {
      shares.push_back(*rc::gen::inRange(1, 9));
      sum += shares.back();
    }
    for (std::size_t p = first; p < shares.size(); ++p) shares[p] /= sum;
  }
  return {places, points, shares};
}

double log_product(const dash::trace& of, std::size_t record, const std::vector<std::size_t>& points) {
  double sum = 0;
  for (std::size_t place = 0; place < points.size(); ++place)
    sum += std::log(of.shares(record, place)[points[place]]);
  return sum;
}

}  // namespace

TEST_CASE("the likeliest architectures are those of all with the largest products") {
  CHECK(test::holds("best-first search == sorting all", [] {
    const auto places = *rc::gen::inRange<std::size_t>(1, 5);
    const auto points = *rc::gen::inRange<std::size_t>(1, 5);
    const auto of = drawn_trace(2, places, points);
    std::size_t all = 1;
    for (std::size_t i = 0; i < places; ++i) all *= points;
    const auto count = *rc::gen::inRange<std::size_t>(0, all + 3);

    std::vector<double> products;
    for (std::size_t i = 0; i < all; ++i) {
      std::vector<std::size_t> choice(places);
      std::size_t rest = i;
      for (auto& c : choice) {
        c = rest % points;
        rest /= points;
      }
      products.push_back(log_product(of, 1, choice));
    }
    std::sort(products.begin(), products.end(), std::greater<>());

    const auto found = dash::likeliest(of, 1, count);
    RC_ASSERT(found.size() == std::min(count, all));
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(std::abs(log_product(of, 1, found[i]) - products[i]) < 1e-12);
      for (std::size_t j = 0; j < i; ++j) RC_ASSERT(found[j] != found[i]);
    }
    if (!found.empty()) RC_ASSERT(found[0] == of.largest(1));
  }));
}

TEST_CASE("entropy is 1 for equal shares, 0 for a decided place, and their mean for both") {
  const dash::trace of(2, 4, {.25, .25, .25, .25, 0, 1, 0, 0});
  CHECK(of.records() == 1);
  CHECK(of.entropy(0, 0) == doctest::Approx(1));
  CHECK(of.entropy(0, 1) == 0);
  CHECK(of.entropy(0) == doctest::Approx(0.5));
  CHECK(of.largest(0) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("a trace is settled for as long as no place chose another point") {
  const dash::trace of(1, 2, {.6, .4, .3, .7, .2, .8, .1, .9});
  CHECK(of.settled() == 3);
  const dash::trace turned(1, 2, {.6, .4, .3, .7, .2, .8, .9, .1});
  CHECK(turned.settled() == 1);
}

TEST_CASE("shares that make no record are refused") {
  CHECK(test::message_of<usage_error>([] {
          dash::trace(2, 3, {1, 2, 3, 4});
        }).find("4 shares are no records of 2 places of 3 points") != std::string::npos);
}
