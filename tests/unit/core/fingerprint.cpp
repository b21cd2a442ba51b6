#include "fmsb/core/fingerprint.hpp"

#include "support/property.hpp"

#include <string>  // std::string

#include "support/doctest.hpp"

using fmsb::fingerprint;

TEST_CASE("a hash is printed in sixteen digits, zeros included") {
  CHECK(fmsb::hash_text(0) == "0000000000000000");
  CHECK(fmsb::hash_text(0xabc) == "0000000000000abc");
  CHECK(to_string(fingerprint("foobar")) == "85944171f73967e8 foobar");
}

TEST_CASE("what was written for another type is refused, and both types are named") {
  CHECK_NOTHROW(fmsb::require_fingerprint(fingerprint("a"), fingerprint(std::string("a")), "m.pt"));
  CHECK_THROWS_WITH_AS(
      fmsb::require_fingerprint(fingerprint("a"), fingerprint("foobar"), "m.pt"),
      "m.pt was written for another type: it holds 85944171f73967e8 foobar, but this program expects "
      "af63dc4c8601ec8c a. Read it with the program that wrote it, or write it anew.",
      fmsb::data_error);
}

TEST_CASE("fingerprints agree exactly when their texts do") {
  CHECK(fmsb::test::holds("equal texts, equal hashes; one changed character, another hash",
                          [](std::string text) {
                            const std::string copy = text;
                            RC_ASSERT(fingerprint(text) == fingerprint(copy));
                            RC_ASSERT(fingerprint(text).hash == fingerprint(copy).hash);
                            const std::string changed = text + "x";
                            RC_ASSERT(!(fingerprint(text) == fingerprint(changed)));
                            RC_ASSERT(fingerprint(text).hash != fingerprint(changed).hash);
                          }));
}
