#pragma once
#include "fmsb/core/error.hpp"    // data_error
#include "fmsb/core/version.hpp"  // version

#include <array>        // std::array
#include <charconv>     // std::from_chars
#include <cstdint>      // std::uint64_t
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb::nn {

/// What a saved module says about itself: "linear(in=3, out=5); fmsb 0.1.0; seed 7".
///
/// `structure` must be equal for a file to be loaded. The version must not be newer than the
/// program's, which cannot know what has changed since. The seed is that of LibTorch's CPU generator
/// when the parameters were drawn; it tells where the numbers come from and is never compared.
struct module_fingerprint {
  std::string structure;
  std::string version{fmsb::version};
  std::uint64_t seed = 0;

  std::string text() const { return structure + "; fmsb " + version + "; seed " + std::to_string(seed); }

  /// The fingerprint that `text()` wrote; nothing if it is another kind of text.
  static std::optional<module_fingerprint> parse(std::string_view text) {
    const std::string_view before_version = "; fmsb ", before_seed = "; seed ";
    const auto seed_at = text.rfind(before_seed);
    const auto version_at = text.rfind(before_version, seed_at);
    if (seed_at == text.npos || version_at == text.npos || version_at > seed_at) return std::nullopt;
    module_fingerprint found;
    found.structure = text.substr(0, version_at);
    const auto version_from = version_at + before_version.size();
    found.version = text.substr(version_from, seed_at - version_from);
    const auto digits = text.substr(seed_at + before_seed.size());
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), found.seed);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return found;
  }

  friend bool operator==(const module_fingerprint&, const module_fingerprint&) = default;
};

namespace detail {

/// The three numbers of a version; what is missing or no number counts as 0.
inline std::array<int, 3> version_numbers(std::string_view text) {
  std::array<int, 3> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int& number : numbers) {
    at = std::from_chars(at, end, number).ptr;
    if (at != end && *at == '.') ++at;
  }
  return numbers;
}

}  // namespace detail

/// Refuses a file that was written by another structure or by a newer library.
///
/// @param file    the fingerprint text found in the file
/// @param module  the module that is to take the file's numbers
/// @return the file's fingerprint
/// @throws data_error naming both fingerprints
inline module_fingerprint require_loadable(const std::string& file, const module_fingerprint& module) {
  const std::string both = "The file says \"" + file + "\", the module is \"" + module.text() + "\".";
  const auto found = module_fingerprint::parse(file);
  if (!found || found->structure != module.structure)
    throw data_error("These saved parameters belong to another module. " + both +
                     " Load the file into a module of the type that wrote it.");
  if (detail::version_numbers(found->version) > detail::version_numbers(module.version))
    throw data_error("These saved parameters were written by a newer fmsb than this program holds. " + both +
                     " Build the program with fmsb " + found->version + " or later.");
  return *found;
}

}  // namespace fmsb::nn
