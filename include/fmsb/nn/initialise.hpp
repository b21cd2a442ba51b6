#pragma once
#include "fmsb/core/extent.hpp"  // index_t
#include "fmsb/nn/torch.hpp"     // tensor, at::empty

#include <cmath>  // std::sqrt

/// Starting values. Layers draw theirs here, from LibTorch's CPU generator in the order of registration, so
/// that one seed gives one model.
namespace fmsb::nn {

namespace detail {
inline thread_local bool draws_wanted = true;
}

/// While one lives, layers that are built on this thread leave their parameters unwritten and draw nothing:
/// for models whose numbers come from a file or from another model.
class without_initialisation {
 public:
  without_initialisation() : before_(detail::draws_wanted) { detail::draws_wanted = false; }
  ~without_initialisation() { detail::draws_wanted = before_; }
  without_initialisation(const without_initialisation&) = delete;
  without_initialisation& operator=(const without_initialisation&) = delete;

 private:
  bool before_;
};

/// Float tensors on the CPU for `register_parameter`; unwritten under `without_initialisation`.
inline tensor drawn_uniform(at::IntArrayRef sizes, double bound) {
  auto x = at::empty(sizes, at::kFloat);
  if (detail::draws_wanted) x.uniform_(-bound, bound);
  return x;
}
inline tensor drawn_normal(at::IntArrayRef sizes, double deviation) {
  auto x = at::empty(sizes, at::kFloat);
  if (detail::draws_wanted) x.normal_(0, deviation);
  return x;
}
inline tensor filled(at::IntArrayRef sizes, double value) {
  auto x = at::empty(sizes, at::kFloat);
  if (detail::draws_wanted) x.fill_(value);
  return x;
}

/// The bound of LibTorch's linear and convolution layers, 1 / sqrt(fan in), for weight and bias alike:
/// Kaiming uniform with a = sqrt(5) (He et al., "Delving Deep into Rectifiers", ICCV 2015).
inline double fan_in_bound(index_t fan_in) {
  return fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
}

/// Draws a layer's weight from N(0, deviation), and makes its bias zero where it has one.
template <class Layer>
void draw_weight(Layer& layer, double deviation) {
  layer.weight.normal_(0, deviation);
  if (layer.bias.defined()) layer.bias.zero_();
}

}  // namespace fmsb::nn
