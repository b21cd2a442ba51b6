#pragma once
#include "fmsb/core/error.hpp"                   // usage_error
#include "fmsb/models/chronos/context_rows.hpp"  // contexts, write_floats
#include "fmsb/models/chronos/uniform_bins.hpp"  // uniform_bins, config
#include "fmsb/nn/tensor.hpp"                    // tensor

#include <ATen/ops/full.h>  // at::full

#include <algorithm>  // std::min
#include <cmath>      // std::isnan, std::fabs
#include <cstddef>    // std::size_t
#include <memory>     // std::shared_ptr
#include <span>       // std::span
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace fmsb::chronos {

/// What a model reads of a batch of series.
struct context_tokens {
  tensor ids{};    ///< [series, T] int64
  tensor mask{};   ///< [series, T] bool: a value (or the end) stands there, no gap and no padding
  tensor scale{};  ///< [series] float: what a series was divided by
};

/// What a model is to say of a batch of series.
struct label_tokens {
  tensor ids{};     ///< [series, H] int64
  tensor mask{};    ///< [series, H] bool
  tensor labels{};  ///< [series, H] int64: the ids, and -100 (left out of the loss) where the mask is false
};

/// Chronos' tokenizer: a series is divided by its mean absolute value and cut into equal bins, one token
/// each.
///
/// Source: Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024, section 3.1; class
/// MeanScaleUniformBins of the Python package chronos-forecasting.
class tokenizer {
 public:
  /// @throws usage_error as config::check
  explicit tokenizer(const config& c = {}) : config_(c), bins_(std::make_shared<const uniform_bins>(c)) {}

  const config& configuration() const { return config_; }
  const uniform_bins& bins() const { return *bins_; }

  /// Mean absolute value of what is no gap, summed in double; 1 where that is not above 0.
  static float scale_of(std::span<const float> values) {
    double sum = 0;
    std::size_t count = 0;
    for (const float x : values)
      if (!std::isnan(x)) {
        sum += std::fabs(static_cast<double>(x));
        ++count;
      }
    const auto scale = static_cast<float>(sum / static_cast<double>(count));
    return scale > 0 ? scale : 1.0F;
  }

  /// The last context_length values of each series as tokens. Shorter series are padded in front to the
  /// longest of the batch (or to `length`, where that is more), gaps and padding become the pad token with a
  /// false mask, and an end token closes every row where the configuration says so: T = length + use_eos.
  ///
  /// @throws usage_error where there are no series or one has no values
  /// @throws data_error for a value that is infinite, or is so in float32
  context_tokens encode(contexts series, index_t length = 0) const {
    length = detail::row_length(series, config_.context_length, length, reader);
    context_tokens out = empty_rows(static_cast<index_t>(series.size()), length);
    auto* const scales = out.scale.mutable_data_ptr<float>();
    std::vector<float> values;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const auto kept = std::min(series[i].size(), static_cast<std::size_t>(config_.context_length));
      as_floats(series[i].last(kept), i, values);
      scales[i] = scale_of(values);
      write_row(out.ids, out.mask, i, static_cast<std::size_t>(length) - kept, values, scales[i]);
    }
    return out;
  }

  /// The values that follow the contexts as tokens, by the contexts' scales. All rows are of one length; gaps
  /// count neither as targets nor in the loss.
  ///
  /// @param scale  [series] as encode returned it
  /// @throws usage_error where the rows differ in length, are none or do not belong to the scales; data_error
  /// as encode
  label_tokens encode_labels(contexts futures, const tensor& scale) const {
    if (!scale.defined() || scale.dim() != 1 || scale.scalar_type() != at::kFloat ||
        scale.size(0) != static_cast<index_t>(futures.size()) || futures.empty())
      throw usage_error(
          "fmsb::chronos::tokenizer: " + std::to_string(futures.size()) +
          " rows of labels need as many scales, as a [series] float tensor; encode returns it.");
    const auto length = futures[0].size();
    auto rows = empty_rows(static_cast<index_t>(futures.size()), static_cast<index_t>(length));
    const auto scales = scale.contiguous();
    std::vector<float> values;
    for (std::size_t i = 0; i < futures.size(); ++i) {
      if (futures[i].size() != length)
        throw usage_error("fmsb::chronos::tokenizer: the labels of series " + std::to_string(i) + " are " +
                          std::to_string(futures[i].size()) + " long, those of series 0 " +
                          std::to_string(length) + "; pad the shorter with gaps.");
      as_floats(futures[i], i, values);
      write_row(rows.ids, rows.mask, i, 0, values, scales.const_data_ptr<float>()[i]);
    }
    return {rows.ids, rows.mask, rows.ids.masked_fill(rows.mask.logical_not(), -100)};
  }

  /// Tokens back to values: the centres of their bins times the series' scale. Special tokens stand for the
  /// lowest bin, as in the Python package.
  ///
  /// @param ids    [series, ...] int64
  /// @param scale  [series] float
  /// @return float, as shaped as `ids`
  tensor decode(const tensor& ids, const tensor& scale) const {
    if (ids.dim() < 1 || ids.scalar_type() != at::kLong || scale.dim() != 1 || scale.size(0) != ids.size(0))
      throw usage_error(
          "fmsb::chronos::tokenizer: ids are an int64 tensor [series, ...], and scales [series].");
    const auto from = ids.contiguous();
    const auto scales = scale.to(at::kFloat).contiguous();
    auto out = at::empty(ids.sizes(), at::TensorOptions().dtype(at::kFloat));
    const auto* const in = from.const_data_ptr<std::int64_t>();
    auto* const values = out.mutable_data_ptr<float>();
    const auto each = ids.size(0) == 0 ? 0 : from.numel() / ids.size(0);
    for (index_t i = 0; i < from.numel(); ++i)
      values[i] = bins_->value(in[i]) * scales.const_data_ptr<float>()[i / each];
    return out;
  }

 private:
  /// Rows that hold padding, and an end where there is one.
  context_tokens empty_rows(index_t rows, index_t length) const {
    const index_t columns = length + (config_.use_eos ? 1 : 0);
    context_tokens out{at::full({rows, columns}, config_.pad, at::TensorOptions().dtype(at::kLong)),
                       at::zeros({rows, columns}, at::TensorOptions().dtype(at::kBool)),
                       at::empty({rows}, at::TensorOptions().dtype(at::kFloat))};
    if (config_.use_eos) {
      out.ids.select(1, length).fill_(config_.eos);
      out.mask.select(1, length).fill_(true);
    }
    return out;
  }

  static constexpr const char* reader = "fmsb::chronos::tokenizer";

  /// @throws data_error for infinities
  static void as_floats(std::span<const double> from, std::size_t series, std::vector<float>& into) {
    into.resize(from.size());
    detail::write_floats(from, series, reader, into.data());
  }

  void write_row(const tensor& ids, const tensor& mask, std::size_t row, std::size_t first,
                 const std::vector<float>& values, float scale) const {
    const auto columns = static_cast<std::size_t>(ids.size(1));
    auto* const id = ids.mutable_data_ptr<std::int64_t>() + row * columns + first;
    auto* const seen = mask.mutable_data_ptr<bool>() + row * columns + first;
    for (std::size_t t = 0; t < values.size(); ++t)
      if (!std::isnan(values[t])) {
        id[t] = bins_->id(values[t] / scale);
        seen[t] = true;
      }
  }

  config config_;
  std::shared_ptr<const uniform_bins> bins_;  // 32 KB of tables, shared by copies
};

}  // namespace fmsb::chronos
