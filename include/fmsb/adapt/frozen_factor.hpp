#pragma once
#include "fmsb/core/extent.hpp"        // index_t
#include "fmsb/nn/kernels/panels.hpp"  // float_buffer, pack_rows, multiply
#include "fmsb/nn/parallel_for.hpp"    // parallel_for
#include "fmsb/nn/tensor.hpp"          // tensor

#include <ATen/core/grad_mode.h>  // at::GradMode
#include <ATen/ops/mm.h>          // at::mm

#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <mutex>      // std::call_once
#include <utility>    // std::move

namespace fmsb::adapt::detail {

/// A matrix M [columns, depth] that nothing changes, and products x M' with it. LibTorch lays M out anew in
/// every product, which is a fifth of the time where x has few rows: for those, floats on the CPU are laid
/// out once, when first needed.
class frozen_factor {
 public:
  /// @param m  without a history
  explicit frozen_factor(tensor m) : m_(std::move(m)) {}

  const tensor& matrix() const { return m_; }

  /// M's first `columns` rows and `depth` columns.
  tensor part(index_t columns, index_t depth) const { return m_.narrow(0, 0, columns).narrow(1, 0, depth); }

  /// x M[:columns, :depth]', with a history where gradients are recorded.
  /// @param x  [rows, depth]
  tensor product(const tensor& x, index_t columns) const {
    if (!fits(x)) return at::mm(x, part(columns, x.size(1)).t());
    const auto from = x.contiguous();
    auto y = at::empty({x.size(0), columns}, x.options());
    const auto& panels = laid_out();
    const nn::product_task all{.left = from.const_data_ptr<float>(),
                               .left_stride = static_cast<std::size_t>(x.size(1)),
                               .rows = static_cast<std::size_t>(x.size(0)),
                               .depth = static_cast<std::size_t>(x.size(1)),
                               .panels = panels.data(),
                               .columns = static_cast<std::size_t>(columns),
                               .out = y.mutable_data_ptr<float>(),
                               .out_stride = static_cast<std::size_t>(columns),
                               .panel_distance = nn::kPanel * static_cast<std::size_t>(m_.size(1))};
    const auto count = static_cast<index_t>(nn::panels_for(all.columns));
    const index_t a_panel = x.numel() * static_cast<index_t>(nn::kPanel);
    nn::parallel_for(count, kMultipliesAThread / a_panel + 1, [&](index_t begin, index_t end) {
      const auto first = static_cast<std::size_t>(begin), last = static_cast<std::size_t>(end);
      auto some = all;
      some.panels += first * all.panel_distance;
      some.out += first * nn::kPanel;
      some.columns = std::min(all.columns, last * nn::kPanel) - first * nn::kPanel;
      nn::multiply(some);
    });
    return y;
  }

 private:
  static constexpr index_t kFewRows = 256;  // more, and laying M out weighs little beside the product
  static constexpr index_t kMultipliesAThread = 1 << 21;

  bool fits(const tensor& x) const {
    return x.size(0) <= kFewRows && x.numel() > 0 && !at::GradMode::is_enabled() && m_.is_cpu() &&
           x.is_cpu() && m_.scalar_type() == at::kFloat && x.scalar_type() == at::kFloat;
  }

  const nn::float_buffer& laid_out() const {
    std::call_once(once_, [this] {
      const auto m = m_.contiguous();
      const auto columns = static_cast<std::size_t>(m.size(0)), depth = static_cast<std::size_t>(m.size(1));
      panels_.resize(nn::panel_floats(columns, depth));
      nn::pack_rows(m.const_data_ptr<float>(), depth, columns, depth, nullptr, panels_.data());
    });
    return panels_;
  }

  tensor m_;
  mutable std::once_flag once_;
  mutable nn::float_buffer panels_;
};

}  // namespace fmsb::adapt::detail
