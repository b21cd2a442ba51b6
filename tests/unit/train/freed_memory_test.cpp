#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include <cstddef>  // std::size_t
#include <vector>   // std::vector
#if defined(__linux__)
#include <sys/resource.h>  // getrusage
#endif

#include "support/doctest.hpp"

#if defined(__GLIBC__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__)

namespace {

/// Pages that the system hands out while 256 MiB are filled.
long pages_of_a_large_vector() {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const std::vector<char> large(std::size_t{1} << 28, 1);
  getrusage(RUSAGE_SELF, &after);
  CHECK(large.back() == 1);
  return after.ru_minflt - before.ru_minflt;
}

}  // namespace

TEST_CASE("memory that was freed is there for the next step without new pages") {
  const long given_back = pages_of_a_large_vector();
  CHECK(pages_of_a_large_vector() > given_back / 2);
  REQUIRE(fmsb::train::keep_freed_memory());
  pages_of_a_large_vector();  // the heap grows once
  CHECK(pages_of_a_large_vector() < given_back / 10);
}

#endif
