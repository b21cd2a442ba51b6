#pragma once
#include "fmsb/space/space.hpp"  // search_space, space_members

#include <algorithm>         // std::copy_n, std::lower_bound, std::min
#include <array>             // std::array
#include <cstddef>           // std::size_t
#include <cstdint>           // std::uint32_t
#include <initializer_list>  // a list of the blocks
#include <limits>            // std::numeric_limits
#include <type_traits>       // std::is_invocable_r_v
#include <utility>           // std::index_sequence

namespace fmsb::space {

namespace detail {

// Compilers bound the steps of one constant evaluation, so that a predicate is asked about a block of
// points at a time. Blocks make spaces of some hundred thousand points possible.
inline constexpr std::size_t filter_block = 512;

template <std::size_t Points>
struct accepted {
  std::array<std::uint32_t, Points> indices{};
  std::size_t count = 0;
};

template <class Space, auto Predicate, std::size_t First>
consteval auto accepted_of_block() {
  accepted<std::min(filter_block, Space::size - First)> found;
  for (std::size_t i = First; i < First + found.indices.size(); ++i)
    if (Predicate(Space::make(i))) found.indices[found.count++] = static_cast<std::uint32_t>(i);
  return found;
}

template <class Space, auto Predicate, std::size_t First>
inline constexpr auto accepted_in_block = accepted_of_block<Space, Predicate, First>();

template <class Space, auto Predicate, std::size_t... Block>
consteval auto accepted_indices(std::index_sequence<Block...>) {
  // lists, not fold expressions: clang folds no more than 256 operands
  constexpr std::size_t count = [] {
    std::size_t sum = 0;
    for (const std::size_t n : {accepted_in_block<Space, Predicate, Block * filter_block>.count...}) sum += n;
    return sum;
  }();
  std::array<std::uint32_t, count> kept{};
  std::uint32_t* place = kept.data();
  const auto append = [&](const auto& block) {
    return place = std::copy_n(block.indices.data(), block.count, place);
  };
  const std::uint32_t* const ends[] = {append(accepted_in_block<Space, Predicate, Block * filter_block>)...};
  static_cast<void>(ends);
  return kept;
}

template <class Space, auto Predicate>
inline constexpr auto kept_indices = accepted_indices<Space, Predicate>(
    std::make_index_sequence<(Space::size + filter_block - 1) / filter_block>{});

}  // namespace detail

/// The points of a space that a predicate accepts, in their old order with new indices.
///
///     using narrow = filter<conv, [](auto p) { return receptive_field(p) <= 21; }>;
///
/// @tparam Predicate  takes a point, returns bool, usable in constant expressions. In a header that several
///                    files include, use a named function object: each file's lambda is a type of its own.
///
/// Keeps four bytes a kept point; `index` searches them by halving.
template <search_space Space, auto Predicate>
struct filter : detail::space_members<filter<Space, Predicate>, typename Space::point_type> {
  static_assert(Space::size <= std::numeric_limits<std::uint32_t>::max(),
                "fmsb::space::filter: the space has more points than a filter can number (2^32)");
  static_assert(std::is_invocable_r_v<bool, decltype(Predicate), typename Space::point_type>,
                "fmsb::space::filter: the predicate must take a point of the space and return bool");

  using point_type = typename Space::point_type;
  static constexpr std::size_t size = detail::kept_indices<Space, Predicate>.size();
  static_assert(size > 0,
                "fmsb::space::filter: the predicate rejects every point, and a space needs at least one; "
                "accept more, or widen the axes");

  static constexpr point_type make(std::size_t i) {
    return Space::make(detail::kept_indices<Space, Predicate>[i]);
  }

  static constexpr std::size_t find(const point_type& p) {
    const std::size_t old = Space::find(p);
    const auto& kept = detail::kept_indices<Space, Predicate>;
    const auto place = std::lower_bound(kept.begin(), kept.end(), old);
    return place != kept.end() && *place == old ? static_cast<std::size_t>(place - kept.begin()) : size;
  }

  /// "filter(product(...) keeps 12 of 20: 8c1f...)": a predicate has no text, so the kept indices are hashed
  /// (FNV-1a over 32-bit words).
  template <class Outlet>
  static constexpr void write_text(Outlet& out) {
    hashing_outlet hash;
    for (const std::uint32_t i : detail::kept_indices<Space, Predicate>)
      hash.hash = (hash.hash ^ i) * 0x100000001b3u;
    write(out, "filter(");
    Space::write_text(out);
    write(out, " keeps ");
    write(out, std::uint64_t{size});
    write(out, " of ");
    write(out, std::uint64_t{Space::size});
    write(out, ": ");
    write(out, hash.hash, 16);
    out.put(')');
  }
};

}  // namespace fmsb::space
