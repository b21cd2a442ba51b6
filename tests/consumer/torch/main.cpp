#include "fmsb/nn/tensor.hpp"   // fmsb::nn::matrix_view
#include "fmsb/space/axis.hpp"  // axis

#include <vector>  // std::vector

int main() {
  const std::vector<double> ones(6, 1.0);
  const auto matrix = fmsb::nn::matrix_view(ones, {.rows = 2, .columns = 3});
  return at::mm(matrix, matrix.t()).sum().item<double>() == 12.0 ? 0 : 1;
}
