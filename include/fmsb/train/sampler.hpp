#pragma once
#include "fmsb/core/error.hpp"     // usage_error, data_error
#include "fmsb/core/extent.hpp"    // index_t
#include "fmsb/core/shuffled.hpp"  // shuffled
#include "fmsb/nn/tensor.hpp"      // tensor

#include <algorithm>  // std::min, std::clamp
#include <concepts>   // std::convertible_to
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::train {

/// Where a sampler stands: what its next batches follow from.
using sampler_state = std::vector<std::uint64_t>;

/// What gives the batches of a training, of any type and without end. After `restore(s)` the next batches are
/// those that followed when `state()` was s. A sampler that also has `batches_an_epoch()` lets a training be
/// counted in epochs.
template <class S>
concept sampler = requires(S& batches, const S& same, const sampler_state& state) {
  batches.next();
  { same.state() } -> std::convertible_to<sampler_state>;
  batches.restore(state);
};

/// Whether a last batch that is not full is given or left out.
enum class rest { keep, drop };

/// Each epoch all rows once, in an order of its own that follows from the seed alone: no generator is read,
/// and any epoch can be entered in the middle.
class shuffled_rows {
 public:
  /// @param rows   how many there are
  /// @param batch  how many a batch takes
  /// @throws usage_error if either is not positive, or if no batch is full and the rest is dropped
  shuffled_rows(index_t rows, index_t batch, std::uint64_t seed, rest last = rest::keep)
      : rows_(rows), batch_(batch), seed_(seed), last_(last) {
    if (rows < 1 || batch < 1 || (last == rest::drop && batch > rows))
      throw usage_error("fmsb::train::shuffled_rows: " + std::to_string(rows) + " rows in batches of " +
                        std::to_string(batch) +
                        " make no batch; give at least one row, and a batch of one row to all of them.");
    shuffle();
  }

  /// @return [batch] int64, row numbers from 0; fewer at the end of an epoch with rest::keep
  tensor next() {
    const auto from = static_cast<std::size_t>(batch_) * static_cast<std::size_t>(position_);
    const auto count = std::min(static_cast<std::size_t>(batch_), order_.size() - from);
    auto rows = at::empty({static_cast<index_t>(count)}, at::kLong);
    std::copy_n(order_.begin() + static_cast<std::ptrdiff_t>(from), count, rows.mutable_data_ptr<index_t>());
    if (++position_ == batches_an_epoch()) skip_epoch();
    return rows;
  }

  std::uint64_t batches_an_epoch() const {
    return static_cast<std::uint64_t>((rows_ + (last_ == rest::keep ? batch_ - 1 : 0)) / batch_);
  }
  std::uint64_t epoch() const { return epoch_; }  ///< of the next batch, from 0

  /// The batch that `next` gives after so many others from the beginning; the one behind it follows.
  tensor batch_after(std::uint64_t others) {
    const auto epoch = others / batches_an_epoch();
    position_ = others % batches_an_epoch();
    if (epoch != epoch_) {
      epoch_ = epoch;
      shuffle();
    }
    return next();
  }

  /// The next batch is the first of another epoch.
  void skip_epoch() {
    position_ = 0;
    ++epoch_;
    shuffle();
  }

  sampler_state state() const {
    return {static_cast<std::uint64_t>(rows_),
            static_cast<std::uint64_t>(batch_),
            seed_,
            static_cast<std::uint64_t>(last_),
            epoch_,
            position_};
  }

  /// @throws data_error if the state is of other rows, batches or seeds
  void restore(const sampler_state& state) {
    auto expected = this->state();
    if (state.size() == expected.size()) {
      expected[4] = state[4];
      expected[5] = state[5];
    }
    if (state != expected || state[5] >= batches_an_epoch())
      throw data_error("fmsb::train::shuffled_rows: the saved state is of " + text_of(state) +
                       ", but the sampler has " + text_of(this->state()) +
                       ". Resume with the data, batch size and seed of the first run.");
    epoch_ = state[4];
    position_ = state[5];
    shuffle();
  }

 private:
  static std::string text_of(const sampler_state& state) {
    if (state.size() != 6) return "another kind of sampler";
    return std::to_string(state[0]) + " rows in batches of " + std::to_string(state[1]) + " with seed " +
           std::to_string(state[2]) + (state[3] == 0 ? "" : ", full batches only");
  }

  void shuffle() { order_ = shuffled(static_cast<std::size_t>(rows_), seed_, epoch_); }

  index_t rows_, batch_;
  std::uint64_t seed_;
  rest last_;
  std::uint64_t epoch_ = 0, position_ = 0;
  std::vector<std::size_t> order_;
};

/// Full batches only, of all rows where there are fewer than a batch.
/// @throws usage_error unless rows and batch are positive
inline shuffled_rows full_batches(index_t rows, index_t batch, std::uint64_t seed) {
  return {rows, std::min(batch, rows), seed, rest::drop};
}

/// The first batches of each epoch of `shuffled_rows`: short epochs, all of different rows.
class first_batches {
 public:
  /// @param count  batches of an epoch; at least one is given, and at most all
  first_batches(shuffled_rows whole, std::uint64_t count)
      : whole_(std::move(whole)), count_(std::clamp<std::uint64_t>(count, 1, whole_.batches_an_epoch())) {}

  /// @return [batch] int64, row numbers from 0
  tensor next() {
    drawn_from_ = whole_.epoch();
    auto rows = whole_.next();
    if (whole_.epoch() != drawn_from_) {
      given_ = 0;
    } else if (++given_ == count_) {
      whole_.skip_epoch();
      given_ = 0;
    }
    return rows;
  }

  std::uint64_t batches_an_epoch() const { return count_; }
  std::uint64_t epoch() const { return drawn_from_; }  ///< of the last batch, from 0

  sampler_state state() const {
    auto all = whole_.state();
    all.insert(all.end(), {count_, given_, drawn_from_});
    return all;
  }
  /// @throws data_error as `shuffled_rows`, and if the state is of another number of batches
  void restore(const sampler_state& state) {
    if (state.size() < 3 || state[state.size() - 3] != count_)
      throw data_error("fmsb::train::first_batches: the saved state is not of epochs of " +
                       std::to_string(count_) + " batches. Resume with the share of the first run.");
    whole_.restore({state.begin(), state.end() - 3});
    given_ = state[state.size() - 2];
    drawn_from_ = state.back();
  }

 private:
  shuffled_rows whole_;
  std::uint64_t count_, given_ = 0, drawn_from_ = 0;
};

}  // namespace fmsb::train
