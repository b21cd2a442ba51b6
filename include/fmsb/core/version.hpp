#pragma once
#include <string_view>  // std::string_view

namespace fmsb {

/// The library's version, "major.minor.patch" (semver.org).
inline constexpr std::string_view version = "0.1.0";

}  // namespace fmsb
