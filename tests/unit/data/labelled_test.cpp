#include "fmsb/data/labelled.hpp"

#include "fmsb/core/error.hpp"

#include "labelled_support.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <cmath>        // std::abs
#include <concepts>     // std::same_as
#include <set>          // std::set
#include <type_traits>  // std::is_convertible_v

#include "support/doctest.hpp"

namespace data = fmsb::data;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::numbered_set;

namespace {

/// The labels of a set of which every class that has an example has at least two.
std::vector<int> draw_labels(std::size_t classes) {
  std::vector<int> labels;
  for (std::size_t c = 0; c < classes; ++c) {
    auto count = *rc::gen::inRange(0, 30);
    if (count == 1) count = 2;
    labels.insert(labels.end(), static_cast<std::size_t>(count), static_cast<int>(c));
  }
  std::vector<int> mixed(labels.size());
  const auto order = fmsb::shuffled(labels.size(), *rc::gen::arbitrary<std::uint64_t>());
  for (std::size_t i = 0; i < order.size(); ++i) mixed[i] = labels[order[i]];
  return mixed;
}

/// Which examples of numbered_set these are: the first number of an array is its number.
std::vector<std::size_t> numbers_of(const data::labelled_set& some) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < some.size(); ++i) out.push_back(static_cast<std::size_t>(some.values(i)[0]));
  return out;
}

template <class Part>
concept can_be_held_out = requires(const Part& part) {
  data::hold_out(part, 0.1, 0);
};

}  // namespace

static_assert(can_be_held_out<data::train_examples>);
static_assert(!can_be_held_out<data::test_examples>);
static_assert(!std::is_convertible_v<data::labelled_set, data::test_examples>);
static_assert(!std::is_convertible_v<data::test_examples, data::train_examples>);

TEST_CASE("a labelled set gives back what it was made of, and copies share it") {
  const data::labelled_set set("pets", {1, 2}, {1, 2, 3, 4, 5, 6}, {1, 0, 1}, {"cat", "dog", "fish"});
  CHECK(set.name() == "pets");
  CHECK(set.size() == 3);
  CHECK(set.numbers_each() == 2);
  CHECK(set.values(1)[0] == 3);
  CHECK(set.values(2)[1] == 6);
  CHECK(set.label(2) == 1);
  CHECK(set.counts() == std::vector<std::size_t>{1, 2, 0});
  const auto copy = set;
  CHECK(copy.values().data() == set.values().data());
}

TEST_CASE("counts that do not fit together and labels of no class are told") {
  const auto complaint = [](std::vector<float> values, std::vector<int> labels) {
    return message_of<data_error>([&] {
      (void)data::labelled_set("f.bin", {2}, std::move(values), std::move(labels), {"a", "b"});
    });
  };
  CHECK(complaint({1, 2, 3}, {0, 1}) == "f.bin: 2 labels of arrays of 2 numbers were given with 3 numbers.");
  CHECK(complaint({1, 2, 3, 4}, {0, 2}) ==
        "f.bin: example 2 has the label 2, but there are 2 classes, numbered from 0.");
  CHECK(fmsb::test::says(complaint({1, 2}, {-1}), {"example 1", "label -1"}));
  CHECK(complaint({}, {}).empty());
}

TEST_CASE("a subset holds the examples asked for, in that order, as often as asked") {
  CHECK(holds("subset(places)[i] == set[places[i]]", [] {
    const auto set = numbered_set(draw_labels(3), 3);
    RC_PRE(set.size() > 0u);
    const auto places =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, set.size()));
    const auto some = set.subset(places);
    RC_ASSERT(numbers_of(some) == places);
    RC_ASSERT(some.classes() == set.classes());
    for (std::size_t i = 0; i < places.size(); ++i) {
      RC_ASSERT(some.label(i) == set.label(places[i]));
      RC_ASSERT(std::vector<float>(some.values(i).begin(), some.values(i).end()) ==
                std::vector<float>(set.values(places[i]).begin(), set.values(places[i]).end()));
    }
  }));
}

TEST_CASE("the parts of a hold-out are disjoint and together the whole, each in the set's order") {
  CHECK(holds("kept and taken divide the set", [](std::uint64_t seed) {
    const data::train_examples all(numbered_set(draw_labels(4), 4));
    const auto share = *rc::gen::inRange(1, 100) / 100.0;
    const auto [kept, taken] = data::hold_out(all, share, seed);
    auto together = numbers_of(kept.members()), other = numbers_of(taken.members());
    RC_ASSERT(std::is_sorted(together.begin(), together.end()));
    RC_ASSERT(std::is_sorted(other.begin(), other.end()));
    together.insert(together.end(), other.begin(), other.end());
    RC_ASSERT((std::set<std::size_t>(together.begin(), together.end())).size() == all.size());
    RC_ASSERT(together.size() == all.size());
  }));
}

TEST_CASE("of every class a hold-out takes its share within one example, and leaves both parts some") {
  CHECK(holds("stratified", [](std::uint64_t seed) {
    const data::train_examples all(numbered_set(draw_labels(4), 4));
    const auto share = *rc::gen::inRange(1, 100) / 100.0;
    const auto [kept, taken] = data::hold_out(all, share, seed);
    const auto counts = all.members().counts(), held = taken.members().counts();
    for (std::size_t c = 0; c < counts.size(); ++c) {
      RC_ASSERT(std::abs(share * static_cast<double>(counts[c]) - static_cast<double>(held[c])) <= 1.0);
      RC_ASSERT((counts[c] == 0 || (held[c] > 0 && held[c] < counts[c])));
    }
  }));
}

TEST_CASE("the same seed holds the same examples out, and another seed others") {
  const data::train_examples all(numbered_set(std::vector<int>(40, 0), 1));
  const auto taken = [&](std::uint64_t seed) {
    return numbers_of(data::hold_out(all, 0.25, seed).second.members());
  };
  CHECK(taken(3) == taken(3));
  CHECK(taken(3) != taken(4));
  CHECK(taken(3).size() == 10);
}

TEST_CASE("a share that means nothing and a class with one example are told") {
  const data::train_examples pair(numbered_set({0, 0, 1, 1}, 2)), lone(numbered_set({0, 0, 1}, 2));
  for (const double share : {0.0, 1.0, -0.5, 2.0, std::nan("")})
    CHECK(fmsb::test::says(message_of<usage_error>([&] { (void)data::hold_out(pair, share, 0); }),
                           {"the share was given as", "such as 0.1"}));
  CHECK(fmsb::test::says(message_of<data_error>([&] { (void)data::hold_out(lone, 0.5, 0); }),
                         {"numbered: class \"class 1\" has a single example"}));
}

TEST_CASE("class weights average to one over the examples, and make all classes count alike") {
  CHECK(holds("mean weight 1", [] {
    const auto labels = draw_labels(5);
    RC_PRE(!labels.empty());
    const data::train_examples all(numbered_set(labels, 5));
    const auto weights = data::class_weights(all);
    const auto counts = all.members().counts();
    double sum = 0, first = 0;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      const double mass = weights[c] * static_cast<double>(counts[c]);
      if (first == 0) first = mass;
      RC_ASSERT((counts[c] > 0 ? std::abs(mass - first) < 1e-9 : weights[c] == 0));
      sum += mass;
    }
    // 1e-12: five quotients and products, each right to 1e-16 of the number of examples.
    RC_ASSERT(std::abs(sum / static_cast<double>(all.size()) - 1) < 1e-12);
  }));
}
