#pragma once
#include <rapidcheck.h>  // rc::check

#include <string>   // std::string
#include <utility>  // std::forward

namespace fmsb::test {

/// A law, tried on 100 drawn inputs: `CHECK(holds("at and index are inverse", [](...) { RC_ASSERT(...); }))`.
/// The result must be checked: rc::check alone only prints that a law failed.
template <class Law>
[[nodiscard]] bool holds(const std::string& sentence, Law&& law) {
  return rc::check(sentence, std::forward<Law>(law));
}

}  // namespace fmsb::test
