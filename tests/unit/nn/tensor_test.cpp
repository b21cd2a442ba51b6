#include "fmsb/nn/tensor.hpp"

#include "fmsb/core/extent.hpp"  // index_t

#include "support/property.hpp"

#include <array>   // std::array
#include <vector>  // std::vector

#include "support/doctest.hpp"

using namespace fmsb;

TEST_CASE("a matrix view reads and writes the caller's memory, element by element") {
  CHECK(test::holds("view(i, j) is values[i * stride + j]", [] {
    const nn::matrix_layout layout{.rows = *rc::gen::inRange<std::size_t>(1, 8),
                                   .columns = *rc::gen::inRange<std::size_t>(1, 8),
                                   .row_stride = *rc::gen::inRange<std::size_t>(1, 12)};
    std::vector<double> values(layout.reach());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
    const tensor view = nn::matrix_view(values, layout);
    for (std::size_t i = 0; i < layout.rows; ++i)
      for (std::size_t j = 0; j < layout.columns; ++j) {
        const tensor element = view.select(0, static_cast<index_t>(i)).select(0, static_cast<index_t>(j));
        RC_ASSERT(element.item().toDouble() == values[i * layout.row_stride + j]);
      }
    view.select(0, 0).select(0, 0).fill_(-1);
    RC_ASSERT(values[0] == -1);
  }));
}

TEST_CASE("a matrix view without a row stride is contiguous, and constant memory may be an operand") {
  const std::array values{1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
  const tensor view = nn::matrix_view(values, {.rows = 2, .columns = 3});
  CHECK(view.is_contiguous());
  const tensor product = at::mm(view, view.t());
  CHECK(nn::values_of(product)[0] == 14);
  CHECK(nn::values_of(product)[3] == 77);
  CHECK(nn::vector_view(values).sum().item().toDouble() == 21);
}

TEST_CASE("a matrix of sliding windows is multiplied without being built") {
  const std::vector<double> values{1, 2, 3, 4, 5};
  const tensor windows = nn::matrix_view(values, {.rows = 3, .columns = 3, .row_stride = 1});
  const tensor built = windows.clone(at::MemoryFormat::Contiguous);
  CHECK(at::mm(windows.t(), windows).equal(at::mm(built.t(), built)));
}

TEST_CASE("an empty matrix needs no memory") {
  const std::vector<double> nothing;
  CHECK(nn::matrix_view(nothing, {.rows = 0, .columns = 4}).numel() == 0);
  CHECK(nn::vector_view(nothing).numel() == 0);
}

TEST_CASE("a matrix view that would leave the memory is refused with the numbers") {
  std::vector<double> values(11);
  CHECK_THROWS_WITH_AS(nn::matrix_view(values, {.rows = 3, .columns = 4}),
                       "fmsb::nn::matrix_view: a matrix of 3 x 4 with row stride 4 needs 12 values, but the "
                       "memory holds 11.",
                       usage_error);
}

TEST_CASE("values_of refuses what is not a contiguous double tensor on the CPU") {
  const tensor x = at::ones({2, 3}, at::TensorOptions().dtype(at::kDouble));
  CHECK(nn::values_of(x).size() == 6);
  CHECK_THROWS_WITH_AS(nn::values_of(x.t()), doctest::Contains("that is not contiguous"), usage_error);
  CHECK_THROWS_WITH_AS(nn::values_of(x.to(at::kFloat)), doctest::Contains("CPUFloatType;"), usage_error);
  CHECK_THROWS_WITH_AS(nn::values_of(tensor()), doctest::Contains("an undefined tensor"), usage_error);
}
