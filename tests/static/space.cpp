// Laws and numbers of search spaces, as constants.
#include "fmsb/space.hpp"

#include <ranges>  // std::ranges::random_access_range

#include <array>     // std::array
#include <concepts>  // std::same_as

namespace {

using namespace fmsb;
using namespace fmsb::space;

using conv = product<kernel_sizes<3, 5, 7, 9, 11>, dilations<1, 3, 5, 7>>;
using series = product<kernel_sizes<1, 3, 5, 7, 9, 11>, dilations<1, 3, 5>>;
using narrow = filter<conv, [](auto p) { return receptive_field(p) <= 21; }>;
using orders = product<lookbacks<1, 511>, differencing<0, 1>>;
using middle = slice<conv, 5, 15>;
using overlapping = unite<slice<conv, 0, 12>, slice<conv, 8, 16>>;
using all_again = unite<conv, middle, narrow>;
using nested = product<narrow, axis<"width", 16, 32>, lookbacks<8, 64, 8>>;
using odd_orders = filter<orders, [](auto p) { return get<"lookback">(p) % 2 == 1; }>;

/// at and index are inverse, every point is contained, no index past the end is made.
template <search_space Space>
consteval bool round_trip() {
  for (std::size_t i = 0; i < Space::size; ++i)
    if (Space::index(Space::at(i)) != i || !Space::contains(Space::at(i))) return false;
  return Space::points().size() == Space::size;
}
static_assert(round_trip<kernel_sizes<3, 5, 7>>());
static_assert(round_trip<lookbacks<1, 511>>());
static_assert(round_trip<lookbacks<8, 64, 7>>());
static_assert(round_trip<range_axis<"shift", -7, 9, 4>>());
static_assert(round_trip<axis<"scrambled", 5, -2, 9, 0>>());
static_assert(round_trip<conv>());
static_assert(round_trip<narrow>());
static_assert(round_trip<orders>());
static_assert(round_trip<middle>());
static_assert(round_trip<overlapping>());
static_assert(round_trip<all_again>());
static_assert(round_trip<nested>());
static_assert(round_trip<odd_orders>());

// sizes: of a product the product, of a slice its length; a filter never grows; a union counts a point once
static_assert(conv::size == 20 && orders::size == 1022 && lookbacks<8, 64, 8>::size == 8);
static_assert(nested::size == narrow::size * 2 * 8);
static_assert(narrow::size == 11 && narrow::size <= conv::size);
static_assert(filter<conv, [](auto) { return true; }>::size == conv::size);
static_assert(middle::size == 10);
static_assert(overlapping::size == 16 && all_again::size == conv::size);
static_assert(unite<conv>::size == conv::size && unite<conv, conv>::size == conv::size);
static_assert(unite<narrow, conv>::size == conv::size);

// order: the last axis counts fastest; filters keep the order; a union lists the first space first
static_assert(conv::at(7).get<"kernel">() == 5 && conv::at(7).get<"dilation">() == 7);
static_assert(conv::at(0) == conv::point_type{{3, 1}} && conv::at(19) == conv::point_type{{11, 7}});
static_assert(middle::at(0) == conv::at(5));
static_assert(overlapping::at(12) == conv::at(12));
static_assert(unite<narrow, conv>::at(0) == narrow::at(0));
static_assert(get<"lookback">(orders::at(1021)) == 511 && get<"differencing">(orders::at(1021)) == 1);
static_assert(lookbacks<8, 64, 7>::last == 64 && lookbacks<8, 63, 7>::last == 57);

// what is not in a space
static_assert(!conv::contains({{4, 1}}) && !conv::contains({{3, 2}}) && !middle::contains(conv::at(4)));
static_assert(!lookbacks<8, 64, 8>::contains({{12}}) && !lookbacks<8, 64, 8>::contains({{72}}) &&
              !lookbacks<8, 64, 8>::contains({{0}}));
static_assert(!narrow::contains(conv::at(19)));

// every space of the list is one, and its points can be walked at random
static_assert(search_space<conv> && search_space<narrow> && search_space<orders> &&
              search_space<overlapping>);
static_assert(search_space<kernel_sizes<3>> && !search_space<int>);
static_assert(std::ranges::random_access_range<decltype(conv::points())>);
static_assert(std::ranges::sized_range<decltype(narrow::points())>);
static_assert([] {
  std::size_t i = 0;
  for (const auto p : narrow::points())
    if (p != narrow::at(i++)) return false;
  return i == narrow::size;
}());

// points are structural: an architecture is a template argument
constexpr std::array found{conv::at(1), conv::at(19)};
template <auto Architecture>
struct network {
  static constexpr int span = receptive_field(Architecture);
};
static_assert(network<found>::span == 7 + 71 - 1);
static_assert(std::same_as<network<found>, network<std::array{conv::at(1), conv::at(19)}>>);
static_assert(!std::same_as<network<found>, network<std::array{conv::at(1), conv::at(18)}>>);

// dilated convolutions; 35 taps are what the union of the offsets leaves of 5 x 4 kernels
static_assert(receptive_field(conv::at(19)) == 71 && widest_receptive_field<conv> == 71);
static_assert(taps<conv>.size() == 35 && taps<conv>.front() == -35 && taps<conv>.back() == 35);
static_assert(taps<kernel_sizes<5>> == std::array{-2, -1, 0, 1, 2});
static_assert(taps<product<kernel_sizes<3>, dilations<1, 4>>> == std::array{-4, -1, 0, 1, 4});
template <search_space Space>
consteval bool taps_cover() {
  for (std::size_t i = 0; i < Space::size; ++i)
    for (int t = 0; t < get<"kernel">(Space::at(i)); ++t) {
      bool there = false;
      for (const int offset : taps<Space>) there = there || offset == tap(Space::at(i), t);
      if (!there) return false;
    }
  for (std::size_t i = 0; i < taps<Space>.size(); ++i)  // symmetric and ascending
    if (taps<Space>[i] != -taps<Space>[taps<Space>.size() - 1 - i] ||
        (i > 0 && taps<Space>[i] <= taps<Space>[i - 1]))
      return false;
  return true;
}
static_assert(taps_cover<conv>() && taps_cover<series>() && taps_cover<narrow>());
static_assert(kernel_weights<conv> == 4 * (3 + 5 + 7 + 9 + 11));
static_assert(mixed_parameters<conv>(128, 128) == 140 * 128 * 128 + 128 + 20);
static_assert(mixed_parameters<conv>(128, 128, 128) == 140 * 128 + 128 + 20);
static_assert(parameters(conv::at(0), 5, 128) == 3 * 5 * 128 + 128);

// how the weights of all points fall onto the taps of their mixture
template <search_space Space, int Axes>
consteval bool weights_meet_at_their_taps() {
  using mixed = mixed_taps<Space, Axes>;
  std::size_t j = 0;
  for (std::size_t p = 0; p < Space::size; ++p) {
    if (mixed::first_weight(p) != j) return false;
    const auto point = Space::at(p);
    const int k = get<"kernel">(point);
    for (int i = 0; i < (Axes == 1 ? 1 : k); ++i)
      for (int l = 0; l < k; ++l, ++j) {
        const auto& offset = mixed::offsets[static_cast<std::size_t>(mixed::tap_of_weight[j])];
        if (mixed::point_of_weight[j] != static_cast<int>(p) || offset[Axes - 1] != tap(point, l) ||
            (Axes == 2 && offset[0] != tap(point, i)))
          return false;
      }
  }
  for (std::size_t i = 1; i < mixed::count; ++i)
    if (!(mixed::offsets[i - 1] < mixed::offsets[i])) return false;
  return j == mixed::weights && mixed::first_weight(Space::size) == j;
}
static_assert(weights_meet_at_their_taps<conv, 1>() && weights_meet_at_their_taps<conv, 2>());
static_assert(weights_meet_at_their_taps<narrow, 2>() && weights_meet_at_their_taps<kernel_sizes<1, 7>, 1>());
static_assert(mixed_taps<conv, 1>::count == taps<conv>.size() &&
              mixed_taps<conv, 1>::weights == kernel_weights<conv>);
static_assert(mixed_taps<product<kernel_sizes<3, 5, 7, 9>, dilations<1, 3, 5, 7>>, 2>::count == 313);

// autoregressions
static_assert(inputs(orders::at(1021)) == 512 && coefficients(orders::at(1021)) == 512);
static_assert(std::same_as<ar::lookbacks<1, 511>, lookbacks<1, 511>>);

// a run-time index becomes a type, in constant time
static_assert([] {
  for (std::size_t i = 0; i < conv::size; ++i) {
    const int field = visit<conv>(
        i, []<auto Point>(constant<Point>) { return network<std::array{Point}>::span; });
    if (field != receptive_field(conv::at(i))) return false;
  }
  return true;
}());
static_assert([] {
  std::size_t count = 0;
  for_each_point<orders>([&](auto point) { count += orders::index(point()); });
  return count == 1022 * 1021 / 2;
}());

// fingerprints: these texts and hashes are stored in files, so they never change
static_assert(fingerprint_of<kernel_sizes<3, 5, 7>>.text == "kernel{3,5,7}");
static_assert(fingerprint_of<lookbacks<1, 511>>.text == "lookback{1..511}");
static_assert(fingerprint_of<lookbacks<8, 64, 8>>.text == "lookback{8..64 by 8}");
static_assert(fingerprint_of<conv>.text == "product(kernel{3,5,7,9,11},dilation{1,3,5,7})");
static_assert(fingerprint_of<conv>.hash == 0x17bb4ba29c2499c2u);
static_assert(fingerprint_of<orders>.text == "product(lookback{1..511},differencing{0,1})");
static_assert(fingerprint_of<orders>.hash == 0x1e3964beae3d7f3eu);
static_assert(fingerprint_of<narrow>.text ==
              "filter(product(kernel{3,5,7,9,11},dilation{1,3,5,7}) keeps 11 of 20: ae4f6721a409688f)");
static_assert(fingerprint_of<slice<kernel_sizes<3, 5, 7>, 1, 3>>.text == "slice(kernel{3,5,7},1,3)");
static_assert(fingerprint_of<unite<dilations<1>, dilations<2>>>.text == "unite(dilation{1},dilation{2})");
static_assert(point_fingerprint<conv::at(7)>.text == "kernel=5,dilation=7");
static_assert(point_fingerprint<conv::at(7)>.hash == hash_of(conv::at(7)));
static_assert(fingerprint_of<narrow> != fingerprint_of<conv>);
// the same points by another predicate are the same space to a file
static_assert(
    fingerprint_of<narrow> ==
    fingerprint_of<filter<conv, [](auto p) { return get<"dilation">(p) * (get<"kernel">(p) - 1) < 21; }>>);

// a large space: 10,000 points
using wide =
    product<range_axis<"a", 1, 10>, range_axis<"b", 1, 10>, range_axis<"c", 1, 10>, range_axis<"d", 1, 10>>;
using sparse =
    filter<wide, [](auto p) { return (get<"a">(p) + get<"b">(p) + get<"c">(p) + get<"d">(p)) % 7 == 0; }>;
static_assert(wide::size == 10'000 && sparse::index(sparse::at(sparse::size - 1)) == sparse::size - 1);

}  // namespace
