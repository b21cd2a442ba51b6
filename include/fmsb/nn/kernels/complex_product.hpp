#pragma once
#include "fmsb/core/isa.hpp"  // isa::pack, FMSB_KERNEL, FMSB_UNROLL

#include <cstddef>  // std::size_t

/// Products of complex matrices whose columns stand in lanes, for kernels. Without LibTorch.
namespace fmsb::nn::detail {

/// out = left * right, or left * conj(right). Right and out are [vectors of columns, rows, re | im, lanes], a
/// matrix for each vector. Of left, the strides say where: its element (i, k) is at
/// i / lanes * row_vector + i % lanes * row + k / lanes * depth_vector + k % lanes * depth, and the imaginary
/// part `lanes` numbers behind.
template <class Real>
struct complex_product {
  const Real* left = nullptr;
  std::size_t row = 0, row_vector = 0, depth = 0, depth_vector = 0;
  const Real* right = nullptr;
  std::size_t right_distance = 0;  ///< from vector to vector
  Real* out = nullptr;
  std::size_t out_distance = 0;
  std::size_t rows = 0, depths = 0, vectors = 0;
};

template <class Real, int Lanes>
struct complex_product_at_width {
  using vec = typename isa::pack<Lanes, Real>::type;
  static constexpr std::size_t size = isa::pack<Lanes, Real>::size, number = 2 * size;
  static constexpr std::size_t kRows = 4, kVectors = Lanes == 8 ? 2 : 1;  // 24 of 32 registers, 12 of 16

  template <bool Conjugate>
  FMSB_KERNEL void multiply(const complex_product<Real>& p) {
    std::size_t v = 0;
    for (; v + kVectors <= p.vectors; v += kVectors) all_rows<Conjugate, kVectors>(p, v);
    if constexpr (kVectors > 1)
      for (; v < p.vectors; ++v) all_rows<Conjugate, 1>(p, v);
  }

 private:
  template <bool Conjugate, std::size_t Vectors>
  FMSB_KERNEL void all_rows(const complex_product<Real>& p, std::size_t vector) {
    std::size_t i = 0;
    for (; p.rows >= kRows && i < p.rows; i += kRows) {
      if (i + kRows > p.rows) i = p.rows - kRows;  // the last block once more from where it is whole
      some_rows<Conjugate, kRows, Vectors>(p, vector, i);
    }
    for (; i < p.rows; ++i) some_rows<Conjugate, 1, Vectors>(p, vector, i);
  }

  template <bool Conjugate, std::size_t Rows, std::size_t Vectors>
  FMSB_KERNEL void some_rows(const complex_product<Real>& p, std::size_t vector, std::size_t first) {
    vec re[Rows][Vectors], im[Rows][Vectors];
    const Real* from[Rows];
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) {
      from[i] = p.left + (first + i) / size * p.row_vector + (first + i) % size * p.row;
      FMSB_UNROLL
      for (std::size_t v = 0; v < Vectors; ++v) re[i][v] = im[i][v] = vec{};
    }
    const Real* right = p.right + vector * p.right_distance;
    for (std::size_t start = 0; start < p.depths; start += size) {
      const std::size_t end = p.depths - start < size ? p.depths - start : size;
      std::size_t at = start / size * p.depth_vector;
      for (std::size_t k = 0; k < end; ++k, at += p.depth, right += number) {
        vec right_re[Vectors], right_im[Vectors];
        FMSB_UNROLL
        for (std::size_t v = 0; v < Vectors; ++v) {
          right_re[v] = *reinterpret_cast<const vec*>(right + v * p.right_distance);
          right_im[v] = *reinterpret_cast<const vec*>(right + v * p.right_distance + size);
        }
        FMSB_UNROLL
        for (std::size_t i = 0; i < Rows; ++i) {
          const Real left_re = from[i][at], left_im = from[i][at + size];
          FMSB_UNROLL
          for (std::size_t v = 0; v < Vectors; ++v) {
            re[i][v] += left_re * right_re[v];
            im[i][v] += left_im * right_re[v];
            if constexpr (Conjugate) {
              re[i][v] += left_im * right_im[v];
              im[i][v] -= left_re * right_im[v];
            } else {
              re[i][v] -= left_im * right_im[v];
              im[i][v] += left_re * right_im[v];
            }
          }
        }
      }
    }
    FMSB_UNROLL
    for (std::size_t i = 0; i < Rows; ++i) FMSB_UNROLL
    for (std::size_t v = 0; v < Vectors; ++v) {
      Real* const to = p.out + (vector + v) * p.out_distance + (first + i) * number;
      *reinterpret_cast<vec*>(to) = re[i][v];
      *reinterpret_cast<vec*>(to + size) = im[i][v];
    }
  }
};

}  // namespace fmsb::nn::detail
