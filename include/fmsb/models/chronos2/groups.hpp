#pragma once
#include "fmsb/core/error.hpp"             // usage_error
#include "fmsb/core/extent.hpp"            // index_t
#include "fmsb/models/t5/hidden_keys.hpp"  // hidden_keys
#include "fmsb/nn/layer.hpp"               // shape_text
#include "fmsb/nn/torch.hpp"               // tensor

#include <algorithm>      // std::copy, std::is_sorted
#include <cstddef>        // std::size_t
#include <map>            // std::map
#include <string>         // std::string, std::to_string
#include <unordered_map>  // std::unordered_map
#include <vector>         // std::vector

namespace fmsb::models {

/// Which series of a batch belong together, for attention across them: series with one id see each other at
/// every position, and none else. Groups of one size are worked on together, so that n series cost as much as
/// their groups do, and not n².
///
/// Holds what is the same for all blocks of a model: the order of the rows, and which keys are hidden.
class series_groups {
 public:
  /// @param ids   [batch], integers of any values and order; undefined: each series is by itself
  /// @param seen  [batch, tokens], bool: the tokens that others may look at
  /// @param like  of the number type and device that is attended in
  /// @throws usage_error for ids of another shape or type
  series_groups(const tensor& ids, const tensor& seen, const tensor& like) {
    const index_t batch = seen.size(0);
    if (!ids.defined()) {
      parts_.push_back({.size = 1, .hidden = {}});
      return;
    }
    if (ids.dim() != 1 || ids.size(0) != batch ||
        !at::isIntegralType(ids.scalar_type(), /*includeBool=*/false))
      throw usage_error("fmsb::models::chronos2 was given groups of shape " + nn::detail::shape_text(ids) +
                        " and type " + c10::toString(ids.scalar_type()) +
                        "; it takes one integer for each of the " + std::to_string(batch) +
                        " series, equal for those that belong together.");
    auto by_size = rows_by_size(ids);
    std::vector<index_t> order;
    for (const auto& [size, rows] : by_size) order.insert(order.end(), rows.begin(), rows.end());
    const bool moved = !std::is_sorted(order.begin(), order.end());
    if (moved) {
      std::vector<index_t> back(order.size());
      for (std::size_t i = 0; i < order.size(); ++i)
        back[static_cast<std::size_t>(order[i])] = static_cast<index_t>(i);
      order_ = index_of(order, like);
      back_ = index_of(back, like);
    }
    const auto in_order = moved ? seen.index_select(0, order_) : seen;
    index_t first = 0;
    for (const auto& [size, rows] : by_size) {
      const auto count = static_cast<index_t>(rows.size());
      // What hides a token from itself alone would change nothing.
      parts_.push_back(
          {.size = size,
           .first = first,
           .count = count,
           .hidden = size == 1 ? tensor()
                               : detail::hidden_keys(
                                     across(in_order.narrow(0, first, count).unsqueeze(2), size).squeeze(2),
                                     like)});
      first += count;
    }
  }

  /// The attention of each series on those of its group, position by position. A token that is hidden gets
  /// something, and nobody sees it.
  ///
  /// @param attention  a nn::multi_head_attention
  /// @param x          [batch, tokens, width]
  /// @return the same shape
  template <class Attention>
  tensor attend(const Attention& attention, const tensor& x) const {
    if (parts_.size() == 1 && !order_.defined()) return attend(attention, x, parts_.front());
    const auto in_order = order_.defined() ? x.index_select(0, order_) : x;
    std::vector<tensor> all;
    for (const auto& some : parts_)
      all.push_back(attend(attention, in_order.narrow(0, some.first, some.count), some));
    const auto y = all.size() == 1 ? all.front() : at::cat(all);
    return back_.defined() ? y.index_select(0, back_) : y;
  }

 private:
  /// Neighbouring rows, all groups of one size one after the other.
  struct part {
    index_t size = 1, first = 0, count = 0;
    tensor hidden;  ///< [groups * tokens, 1, 1, size], undefined where all is seen
  };

  /// The rows of all groups of a size, group after group.
  static std::map<index_t, std::vector<index_t>> rows_by_size(const tensor& ids) {
    const auto local = ids.to(at::kCPU, at::kLong).contiguous();
    const auto* const id = local.const_data_ptr<index_t>();
    std::unordered_map<index_t, std::size_t> number;
    std::vector<std::vector<index_t>> groups;
    for (index_t row = 0; row < local.size(0); ++row) {
      const auto [at, is_new] = number.try_emplace(id[row], groups.size());
      if (is_new) groups.emplace_back();
      groups[at->second].push_back(row);
    }
    std::map<index_t, std::vector<index_t>> by_size;
    for (const auto& rows : groups) {
      auto& all = by_size[static_cast<index_t>(rows.size())];
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return by_size;
  }

  static tensor index_of(const std::vector<index_t>& rows, const tensor& like) {
    auto index = at::empty({static_cast<index_t>(rows.size())}, at::TensorOptions().dtype(at::kLong));
    std::copy(rows.begin(), rows.end(), index.mutable_data_ptr<index_t>());
    return index.to(like.device());
  }

  /// [groups * size, tokens, n] -> [groups * tokens, size, n], and with `tokens` for `size` back again.
  static tensor across(const tensor& x, index_t size) {
    return x.reshape({x.size(0) / size, size, x.size(1), x.size(2)})
        .transpose(1, 2)
        .reshape({x.size(0) / size * x.size(1), size, x.size(2)});
  }

  template <class Attention>
  static tensor attend(const Attention& attention, const tensor& x, const part& of) {
    // The weight of a single key is one: queries and keys are for their gradients, which are zero, and for
    // dropout.
    if (of.size == 1 && !at::GradMode::is_enabled() && !attention.is_training())
      return attention.template at<"o">().forward(attention.template at<"v">().forward(x));
    return across(attention.attend(across(x, of.size), {.bias = of.hidden}), x.size(1));
  }

  std::vector<part> parts_;
  tensor order_, back_;  ///< rows by part and where each of them was; undefined where nothing moves
};

}  // namespace fmsb::models
