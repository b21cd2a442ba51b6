#include "fmsb/data/channel_scale.hpp"

#include "fmsb/core/error.hpp"

#include "support/message.hpp"
#include "support/property.hpp"

#include <cmath>   // std::abs, std::sqrt
#include <limits>  // std::numeric_limits

#include "support/doctest.hpp"

namespace data = fmsb::data;
using data::channel_scale;
using fmsb::data_error, fmsb::usage_error;
using fmsb::test::holds, fmsb::test::message_of, fmsb::test::says;

namespace {

data::labelled_set set_of(std::vector<std::size_t> shape, std::vector<float> values) {
  std::size_t each = 1;
  for (const auto extent : shape) each *= extent;
  std::vector<int> labels(values.size() / each);
  return {"f", std::move(shape), std::move(values), std::move(labels), {"all"}};
}

data::labelled_set draw_set(std::size_t channels) {
  const std::vector<std::size_t> shape{channels, *rc::gen::inRange<std::size_t>(1, 4),
                                       *rc::gen::inRange<std::size_t>(1, 4)};
  const auto count = *rc::gen::inRange<std::size_t>(1, 6) * shape[0] * shape[1] * shape[2];
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(*rc::gen::inRange(-1000, 1000)) / 8);
  return set_of(shape, values);
}

template <class Part>
concept can_be_fitted = requires(const Part& part) {
  channel_scale::fit(part);
};

}  // namespace

static_assert(can_be_fitted<data::train_examples>);
static_assert(!can_be_fitted<data::test_examples>);
static_assert(!can_be_fitted<data::validation_examples>);

TEST_CASE("every channel of the train part gets mean 0 and deviation 1, a constant one becomes 0") {
  CHECK(holds("statistics", [] {
    const auto channels = *rc::gen::inRange<std::size_t>(1, 4);
    const data::train_examples train(draw_set(channels));
    const auto scale = channel_scale::fit(train);
    const auto scaled = scale.apply(train).members();
    const std::size_t places = scaled.numbers_each() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < scaled.size(); ++i)
        for (const float z : scaled.values(i).subspan(c * places, places)) {
          sum += static_cast<double>(z);
          squares += static_cast<double>(z) * static_cast<double>(z);
        }
      const auto n = static_cast<double>(scaled.size() * places);
      // 1e-5: numbers are held as float, to 6e-8 of their size, at most some tens here.
      RC_ASSERT(std::abs(sum / n) < 1e-5);
      RC_ASSERT((std::abs(squares / n - 1) < 1e-5 || (squares == 0 && scale.deviation[c] == 1)));
    }
  }));
}

TEST_CASE("invert undoes apply") {
  CHECK(holds("invert(apply(x)) == x to the rounding of float", [] {
    const auto channels = *rc::gen::inRange<std::size_t>(1, 4);
    const auto scale = channel_scale::fit(data::train_examples(draw_set(channels)));
    const auto x = draw_set(channels);
    const auto back = scale.invert(scale.apply(x));
    for (std::size_t i = 0; i < x.values().size(); ++i)
      // 1e-4: numbers up to 125 away by up to a thousand deviations, each rounded to 6e-8 of its size.
      RC_ASSERT(std::abs(back.values()[i] - x.values()[i]) < 1e-4f);
  }));
}

TEST_CASE("channels are the first axis, and a test part is scaled by train's statistics") {
  const data::train_examples train(set_of({2, 2}, {1, 3, 5, 5, 1, 3, 5, 5}));
  const auto scale = channel_scale::fit(train);
  CHECK(scale.mean == std::vector<double>{2, 5});
  CHECK(scale.deviation == std::vector<double>{1, 1});
  const data::labelled_splits parts{train, data::test_examples(set_of({2, 2}, {4, 2, 6, 5}))};
  const auto test = data::standardised(parts).test.members();
  CHECK(std::vector<float>(test.values().begin(), test.values().end()) == std::vector<float>{2, 0, 1, 0});
}

TEST_CASE("no numbers, numbers that are not finite and other channels are told") {
  const auto complaint = [](data::labelled_set set) {
    return message_of<data_error>([&] { (void)channel_scale::fit(data::train_examples(std::move(set))); });
  };
  CHECK(says(complaint(set_of({2}, {})), {"scaling: f holds no numbers"}));
  CHECK(complaint(set_of({2}, {0, 1, 0, std::numeric_limits<float>::quiet_NaN()})) ==
        "scaling: f, example 2, channel 2 holds a number that is not finite; take the example out.");
  const auto scale = channel_scale::fit(data::train_examples(set_of({2}, {0, 1})));
  CHECK(message_of<usage_error>([&] {
          (void)scale.apply(set_of({3}, {0, 1, 2}));
        }) == "channel_scale::apply: the scale was taken from 2 channels, f has 3.");
}
