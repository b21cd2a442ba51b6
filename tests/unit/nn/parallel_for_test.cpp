#include "fmsb/nn/parallel_for.hpp"

#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/tensor.hpp"    // at::set_num_threads

#include "support/property.hpp"

#include <algorithm>  // std::sort
#include <cstddef>    // std::size_t
#include <mutex>      // std::lock_guard, std::mutex
#include <set>        // std::set
#include <stdexcept>  // std::runtime_error
#include <thread>     // std::this_thread
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

struct with_threads {
  const int before = at::get_num_threads();
  explicit with_threads(int threads) { at::set_num_threads(threads); }
  ~with_threads() { at::set_num_threads(before); }
};

struct seen {
  std::vector<std::pair<index_t, index_t>> stretches;  // in order
  std::set<std::thread::id> threads;
};

seen stretches_of(index_t items, index_t at_once) {
  seen found;
  std::mutex mutex;
  nn::parallel_for(items, at_once, [&](index_t begin, index_t end) {
    const std::lock_guard lock(mutex);
    found.stretches.emplace_back(begin, end);
    found.threads.insert(std::this_thread::get_id());
  });
  std::sort(found.stretches.begin(), found.stretches.end());
  return found;
}

}  // namespace

TEST_CASE("parallel_for: every item once, in stretches that begin at multiples of what is done at once") {
  CHECK(test::holds("a partition of the items", [] {
    const with_threads threads(*rc::gen::inRange(1, 5));
    const index_t items = *rc::gen::inRange(0, 200), at_once = *rc::gen::inRange(1, 40);
    index_t next = 0;
    for (const auto& [begin, end] : stretches_of(items, at_once).stretches) {
      RC_ASSERT(begin == next);
      RC_ASSERT(begin % at_once == 0);
      RC_ASSERT(end > begin);
      next = end;
    }
    RC_ASSERT(next == items);
  }));
}

TEST_CASE("parallel_for: on as many threads as LibTorch has, in this translation unit, too") {
  const with_threads threads(3);
  CHECK(stretches_of(30, 1).threads.size() == 3);
  CHECK(stretches_of(30, 10).threads.size() == 3);
  CHECK(stretches_of(30, 15).threads.size() == 2);
  CHECK(stretches_of(30, 30).threads == std::set{std::this_thread::get_id()});
}

TEST_CASE("parallel_for: a loop within a loop stays on its thread") {
  const with_threads threads(3);
  std::mutex mutex;
  std::size_t alone = 0;
  nn::parallel_for(3, 1, [&](index_t, index_t) {
    const auto inner = stretches_of(7, 1);
    const std::lock_guard lock(mutex);
    if (inner.threads == std::set{std::this_thread::get_id()}) ++alone;
  });
  CHECK(alone == 3);
}

TEST_CASE("parallel_for: what a thread throws is thrown to the caller, who may go on") {
  const with_threads threads(3);
  CHECK_THROWS_WITH_AS(nn::parallel_for(3, 1,
                                        [](index_t begin, index_t) {
                                          if (begin == 1) throw std::runtime_error("the second");
                                        }),
                       "the second", std::runtime_error);
  CHECK(stretches_of(3, 1).stretches.size() == 3);
}
