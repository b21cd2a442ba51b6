#pragma once
#include "fmsb/adapt/groups.hpp"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/batch_norm.hpp"
#include "fmsb/nn/composite.hpp"
#include "fmsb/nn/dropout.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/train/fit.hpp"

#include "support/folder.hpp"     // temporary_folder
#include "support/message.hpp"    // message_of
#include "support/same_bits.hpp"  // same_bits

#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <vector>   // std::vector

namespace fmsb::test {

/// Six numbers to three, with dropout, so that training draws from the generator, and a norm that has
/// buffers.
template <class Plan = adapt::none>
struct small : nn::composite<typename Plan::template child<"in", nn::linear<6, 8>>,
                             nn::child<"drop", nn::dropout<0.3>>, nn::child<"norm", nn::batch_norm<1, 8>>,
                             typename Plan::template child<"out", nn::linear<8, 3>>> {
  using plan = Plan;
  using plain = small<>;
  tensor forward(const tensor& x) const {
    auto y = this->template at<"drop">().forward(this->template at<"in">().forward(x).tanh());
    return this->template at<"out">().forward(this->template at<"norm">().forward(y));
  }
};

/// 60 rows of numbers that a linear map explains in part.
struct rows_of_numbers {
  tensor x = drawn(60, 6, 3), y = x.slice(1, 0, 3) * 0.7 - x.slice(1, 3, 6) * 0.4 + drawn(60, 3, 4) * 0.1;

  template <class Model>
  tensor operator()(Model& model, const tensor& rows) const {
    return (model->forward(x.index_select(0, rows)) - y.index_select(0, rows)).square().mean();
  }

 private:
  /// Not from LibTorch's generator.
  static tensor drawn(index_t rows, index_t columns, std::uint64_t seed) {
    random_bits bits(seed);
    auto out = at::empty({rows, columns}, at::kFloat);
    for (auto* at = out.mutable_data_ptr<float>(); at != out.data_ptr<float>() + rows * columns; ++at)
      *at = static_cast<float>(4 * unit_interval(bits) - 2);
    return out;
  }
};

}  // namespace fmsb::test
