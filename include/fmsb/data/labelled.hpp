#pragma once
#include "fmsb/core/error.hpp"        // usage_error, data_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/core/shuffled.hpp"     // shuffled
#include "fmsb/data/splits.hpp"       // role

#include <algorithm>  // std::copy, std::max, std::min, std::sort
#include <cmath>      // std::lround
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <memory>     // std::shared_ptr
#include <span>       // std::span
#include <string>     // std::string, std::to_string
#include <utility>    // std::move, std::pair
#include <vector>     // std::vector

namespace fmsb::data {

/// Arrays of one shape, each with the number of its class: images, one-hot sequences, tables. Cheap to copy;
/// copies share the numbers, which never change.
class labelled_set {
 public:
  /// @param name     what messages and reports call it, such as a file's path
  /// @param shape    of one array: {channels, length} or {channels, height, width}
  /// @param values   all arrays, one after the other, the last axis fastest
  /// @param labels   one an array, from 0
  /// @param classes  the classes' names
  /// @throws data_error where counts do not fit together or a label names no class
  labelled_set(std::string name, std::vector<std::size_t> shape, std::vector<float> values,
               std::vector<int> labels, std::vector<std::string> classes)
      : held_(std::make_shared<const contents>(contents{std::move(name), std::move(shape), std::move(values),
                                                        std::move(labels), std::move(classes)})) {
    for (const auto extent : held_->shape) each_ *= extent;
    if (each_ * size() != held_->values.size())
      throw data_error(held_->name + ": " + std::to_string(size()) + " labels of arrays of " +
                       std::to_string(each_) + " numbers were given with " +
                       std::to_string(held_->values.size()) + " numbers.");
    for (std::size_t i = 0; i < size(); ++i)
      if (label(i) < 0 || static_cast<std::size_t>(label(i)) >= classes_count())
        throw data_error(held_->name + ": example " + std::to_string(i + 1) + " has the label " +
                         std::to_string(label(i)) + ", but there are " + std::to_string(classes_count()) +
                         " classes, numbered from 0.");
  }

  const std::string& name() const { return held_->name; }
  std::size_t size() const { return held_->labels.size(); }
  const std::vector<std::size_t>& shape() const { return held_->shape; }
  std::size_t numbers_each() const { return each_; }  ///< of one array
  const std::vector<std::string>& classes() const { return held_->classes; }
  std::size_t classes_count() const { return held_->classes.size(); }

  int label(std::size_t i) const { return held_->labels[i]; }
  // Not of a temporary: the numbers might be gone before they are read.
  std::span<const int> labels() const& { return held_->labels; }
  std::span<const int> labels() const&& = delete;
  std::span<const float> values(std::size_t i) const& { return values().subspan(i * each_, each_); }
  std::span<const float> values(std::size_t i) const&& = delete;
  std::span<const float> values() const& { return held_->values; }
  std::span<const float> values() const&& = delete;

  /// How many examples each class has.
  std::vector<std::size_t> counts() const {
    std::vector<std::size_t> out(classes_count());
    for (const int l : labels()) ++out[static_cast<std::size_t>(l)];
    return out;
  }

  /// A copy of some examples, in the order given. @throws usage_error where there is no such example
  labelled_set subset(std::span<const std::size_t> places) const {
    for (const auto place : places)
      if (place >= size())
        throw usage_error(name() + ": example " + std::to_string(place) + " was asked for; there are " +
                          std::to_string(size()) + ", counted from 0.");
    std::vector<float> some(places.size() * each_);
    std::vector<int> labels(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto from = values(places[i]);
      std::copy(from.begin(), from.end(), some.begin() + static_cast<std::ptrdiff_t>(i * each_));
      labels[i] = label(places[i]);
    }
    return {name(), shape(), std::move(some), std::move(labels), classes()};
  }

 private:
  struct contents {
    std::string name;
    std::vector<std::size_t> shape;
    std::vector<float> values;
    std::vector<int> labels;
    std::vector<std::string> classes;
  };
  std::shared_ptr<const contents> held_;
  std::size_t each_ = 1;
};

/// Examples that have one use. It is part of the type: a search cannot receive a test part.
template <role R>
class labelled_part {
 public:
  static constexpr role kind = R;

  explicit labelled_part(labelled_set members) : members_(std::move(members)) {}

  const labelled_set& members() const& { return members_; }
  labelled_set members() const&& { return members_; }
  std::size_t size() const { return members_.size(); }

 private:
  labelled_set members_;
};

using train_examples = labelled_part<role::train>;
using validation_examples = labelled_part<role::validation>;
using test_examples = labelled_part<role::test>;

/// Takes a share of every class out of a training part for validation; both keep the order of the set. The
/// same seed takes the same examples.
///
/// @param share  above 0 and below 1; of a class it takes the nearest whole number, at least one and not all
/// @throws usage_error for another share
/// @throws data_error where a class that has examples has only one
inline std::pair<train_examples, validation_examples> hold_out(const train_examples& from, double share,
                                                               std::uint64_t seed) {
  if (!(share > 0 && share < 1))
    throw usage_error("fmsb::data::hold_out: the share was given as " + number_text(share) +
                      "; give one above 0 and below 1, such as 0.1.");
  const auto& all = from.members();
  std::vector<std::vector<std::size_t>> of_class(all.classes_count());
  for (std::size_t i = 0; i < all.size(); ++i) of_class[static_cast<std::size_t>(all.label(i))].push_back(i);
  std::vector<std::size_t> kept, taken;
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    const auto& places = of_class[c];
    if (places.empty()) continue;
    if (places.size() == 1)
      throw data_error(all.name() + ": class \"" + all.classes()[c] +
                       "\" has a single example, which cannot be in train and in validation; leave the class "
                       "out or give it more.");
    const auto wanted = std::lround(share * static_cast<double>(places.size()));
    const auto count = std::min(places.size() - 1, static_cast<std::size_t>(std::max(1L, wanted)));
    const auto order = shuffled(places.size(), seed, c);
    for (std::size_t i = 0; i < order.size(); ++i) (i < count ? taken : kept).push_back(places[order[i]]);
  }
  std::sort(kept.begin(), kept.end());
  std::sort(taken.begin(), taken.end());
  return {train_examples(all.subset(kept)), validation_examples(all.subset(taken))};
}

/// Weights of the classes that make each count as much as if all were equally frequent: examples / (classes
/// with examples * examples of the class); their mean over examples is 1. Zero for a class without examples.
template <role R>
std::vector<double> class_weights(const labelled_part<R>& of) {
  const auto counts = of.members().counts();
  std::size_t present = 0;
  for (const auto count : counts) present += count > 0 ? 1u : 0u;
  std::vector<double> weights(counts.size());
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] > 0) weights[c] = static_cast<double>(of.size()) / static_cast<double>(present * counts[c]);
  return weights;
}

}  // namespace fmsb::data
