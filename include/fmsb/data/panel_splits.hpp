#pragma once
#include "fmsb/core/error.hpp"        // usage_error, data_error
#include "fmsb/core/fingerprint.hpp"  // hash_of
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/core/random_bits.hpp"  // random_bits, unit_interval
#include "fmsb/data/panel.hpp"        // panel
#include "fmsb/data/splits.hpp"       // role

#include <array>        // std::array
#include <cmath>        // std::abs
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::data {

/// The series of a panel that have one use. It is part of the type: what learns from train and validation
/// parts cannot receive a test part.
template <role R>
class panel_part {
 public:
  static constexpr role kind = R;

  explicit panel_part(panel members) : members_(std::move(members)) {}

  const panel& members() const { return members_; }
  std::size_t size() const { return members_.size(); }

 private:
  panel members_;
};

/// Every series of a panel stands in exactly one part, in the panel's order.
struct panel_splits {
  panel_part<role::train> train;
  panel_part<role::validation> validation;
  panel_part<role::test> test;
  std::string name;  ///< how it was cut, for reports: "by id 0.7,0.1,0.2, seed 1"
};

/// How much of a panel each use gets, on average.
struct split_shares {
  double train = 0, validation = 0, test = 0;
};

/// The use of one id, by the rule of `split_by_id`; it depends on nothing else.
inline role role_of(std::string_view id, const split_shares& shares, std::uint64_t seed) {
  random_bits bits(seed, hash_of(id));
  const double drawn = unit_interval(bits);
  if (drawn < shares.train) return role::train;
  return drawn < shares.train + shares.validation ? role::validation : role::test;
}

/// Cuts a panel by id, so that no patient stands in two parts.
///
/// The rule: an id draws a number u between 0 and 1, the first of `random_bits(seed, hash_of(id))`; it is a
/// train id where u < train, a validation id where u < train + validation, else a test id. So an id keeps its
/// use whatever other ids there are and in whatever order; in return the parts' sizes are the shares only on
/// average, as those of independent draws.
///
/// @throws usage_error unless all three shares are positive and sum to 1
/// @throws data_error where a part would have no series
inline panel_splits split_by_id(const panel& whole, const split_shares& shares, std::uint64_t seed) {
  const auto& [train, validation, test] = shares;
  std::string name = "by id " + number_text(train) + "," + number_text(validation) + "," + number_text(test) +
                     ", seed " + std::to_string(seed);
  if (!(train > 0 && validation > 0 && test > 0) || !(std::abs(train + validation + test - 1) < 1e-9))
    throw usage_error("split " + name +
                      ": the three shares must be positive and sum to 1, such as .7,.1,.2.");
  std::array<std::vector<std::size_t>, 3> places;
  for (std::size_t i = 0; i < whole.size(); ++i)
    places[static_cast<std::size_t>(role_of(whole.id(i), shares, seed))].push_back(i);
  for (const role r : {role::train, role::validation, role::test})
    if (places[static_cast<std::size_t>(r)].empty())
      throw data_error("split " + name + ": none of the " + std::to_string(whole.size()) +
                       " ids falls to the " + name_of(r) + " part; take more ids or another seed.");
  return {panel_part<role::train>(whole.subset(places[0])),
          panel_part<role::validation>(whole.subset(places[1])),
          panel_part<role::test>(whole.subset(places[2])), std::move(name)};
}

}  // namespace fmsb::data
