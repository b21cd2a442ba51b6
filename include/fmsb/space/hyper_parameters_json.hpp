#pragma once
#include "fmsb/core/error.hpp"              // data_error
#include "fmsb/space/hyper_parameters.hpp"  // for_each_member

#include <nlohmann/json.hpp>  // nlohmann::ordered_json

#include <concepts>     // std::floating_point, std::integral
#include <cstdint>      // std::int64_t, std::uint64_t
#include <limits>       // std::numeric_limits
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb::space {

/// The values as a JSON object, in the order of the declaration.
template <class Json = nlohmann::ordered_json, hyper_parameters S>
Json to_json(const S& of) {
  Json object = Json::object();
  for_each_member(
      of, [&](std::string_view name, const auto& member) { object[std::string(name)] = member.value(); });
  return object;
}

namespace detail {

template <class Value, class Json>
std::optional<Value> json_value(const Json& json) {
  if constexpr (std::same_as<Value, bool>) {
    if (json.is_boolean()) return json.template get<bool>();
  } else if constexpr (std::integral<Value>) {
    // a number above the range of std::int64_t is kept unsigned and would wrap around
    const bool fits =
        !json.is_number_unsigned() ||
        json.template get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (json.is_number_integer() && fits) {
      const auto number = json.template get<std::int64_t>();
      if (number >= std::numeric_limits<Value>::min() && number <= std::numeric_limits<Value>::max())
        return static_cast<Value>(number);
    }
  } else if constexpr (std::floating_point<Value>) {
    if (json.is_number()) return json.template get<Value>();
  } else {
    if (json.is_string()) return Value(json.template get_ref<const std::string&>());
  }
  return std::nullopt;
}

}  // namespace detail

/// Reads the values from a JSON object that names every member and nothing else.
///
/// @param where  what the message shall name: a path, usually
/// @throws data_error  for a key that is no member, a member that is missing, and a value of another kind
///                     or outside of its distribution
template <class S, class Json>
S from_json(const Json& object, std::string_view where = "The JSON of the hyper-parameters") {
  detail::require_hyper_parameters<S>();
  const std::string place(where);
  if (!object.is_object())
    throw data_error(place + " must be an object like " + to_json(S{}).dump() + ", but it is " +
                     object.dump() + ".");
  S read{};
  for (auto entry = object.begin(); entry != object.end(); ++entry) {
    bool known = false;
    std::string names;
    for_each_member(read, [&](std::string_view name, const auto&) {
      known = known || name == entry.key();
      names += (names.empty() ? "" : ", ") + std::string(name);
    });
    if (!known)
      throw data_error(place + " has the key \"" + entry.key() +
                       "\", which is no hyper-parameter. The hyper-parameters are: " + names + ".");
  }
  for_each_member(read, [&](std::string_view name, auto& member) {
    const auto found = object.find(std::string(name));
    if (found == object.end())
      throw data_error(place + " lacks the hyper-parameter \"" + std::string(name) +
                       "\". Give it a value from " + member.description() + ".");
    using value_type = typename std::remove_cvref_t<decltype(member)>::value_type;
    const auto value = detail::json_value<value_type>(*found);
    if (!value || !member.contains(*value))
      throw data_error(place + " gives \"" + std::string(name) + "\" the value " + found->dump() +
                       ", which does not belong to " + member.description() + ".");
    member = *value;
  });
  return read;
}

}  // namespace fmsb::space
