#pragma once
#include "fmsb/core/extent.hpp"                 // index_t
#include "fmsb/models/backbones/conv_slot.hpp"  // conv_slot
#include "fmsb/nn/module.hpp"                   // module
#include "fmsb/search/dash/trace.hpp"           // trace
#include "fmsb/space/conv_space.hpp"            // receptive_field

#include <ATen/ops/softmax.h>  // at::softmax

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

namespace fmsb::dash {

/// A mixture of a supernet, whatever its type.
struct searched_place {
  models::conv_slot slot{};
  tensor alpha{};                 ///< [points]
  double* temperature = nullptr;  ///< of its coefficients
};

/// All mixtures of a supernet, in the order of their places. They live as long as the supernet.
template <nn::layer_type Supernet>
std::vector<searched_place> searched_places(nn::module<Supernet> net) {
  std::vector<searched_place> all;
  net->for_each_searched([&](const models::conv_slot& slot, auto& layer) {
    all.push_back({slot, layer.alpha, &layer.temperature});
  });
  return all;
}

/// The receptive fields of a space's points. @return [points], float
template <class Space>
tensor fields_of() {
  auto fields = at::empty({static_cast<index_t>(Space::size)}, at::kFloat);
  for (std::size_t i = 0; i < Space::size; ++i)
    fields.template mutable_data_ptr<float>()[i] = static_cast<float>(space::receptive_field(Space::at(i)));
  return fields;
}

inline void set_temperature(const std::vector<searched_place>& places, double temperature) {
  for (const auto& place : places) *place.temperature = temperature;
}

/// What DASH makes of alpha's gradient g, place by place: g / (scale (|g| + 1e-8)) + penalty * field. Its
/// length is then 1 / scale whatever the loss, and wide fields have to earn their cost.
/// @param fields  `fields_of` the space, on alpha's device
inline void rescale_gradients(const std::vector<searched_place>& places, const tensor& fields, double scale,
                              double penalty) {
  const torch::NoGradGuard no_gradient;
  for (const auto& place : places) {
    auto& g = place.alpha.mutable_grad();
    if (!g.defined()) continue;
    g.div_(scale * (g.norm().item<double>() + 1e-8));
    g.add_(fields, penalty);
  }
}

/// Gives every alpha the gradient of a loss in place of its own; other parameters keep theirs.
inline void take_gradients(const std::vector<searched_place>& places, const tensor& loss) {
  std::vector<tensor> alphas;
  for (const auto& place : places) {
    place.alpha.mutable_grad().reset();
    alphas.push_back(place.alpha);
  }
  loss.backward({}, /*retain_graph=*/false, /*create_graph=*/false, alphas);
}

/// softmax(alpha) of all places, [places, points] in double.
inline tensor shares_of(const std::vector<searched_place>& places) {
  const torch::NoGradGuard no_gradient;
  std::vector<tensor> rows;
  for (const auto& place : places) rows.push_back(at::softmax(place.alpha.to(at::kCPU, at::kDouble), 0));
  return at::stack(rows);
}

/// The first `records` of a tensor [.., places, points] of shares.
inline trace trace_of(const tensor& shares, std::size_t records) {
  const auto some = shares.slice(0, 0, static_cast<index_t>(records)).contiguous();
  const double* from = some.const_data_ptr<double>();
  return {static_cast<std::size_t>(shares.size(1)), static_cast<std::size_t>(shares.size(2)),
          std::vector<double>(from, from + some.numel())};
}

/// While one lives, the mixtures of a supernet are the single points that were chosen.
class chosen_points {
 public:
  chosen_points(std::vector<searched_place> places, const std::vector<std::size_t>& points)
      : places_(std::move(places)) {
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      auto& place = places_[i];
      before_.push_back(place.alpha.clone());
      temperatures_.push_back(*place.temperature);
      constexpr double kAll = 1e4;  // softmax leaves the others exactly nothing
      place.alpha.zero_();
      place.alpha[static_cast<index_t>(points[i])] = kAll;
      *place.temperature = 1;
    }
  }
  chosen_points(const chosen_points&) = delete;
  chosen_points& operator=(const chosen_points&) = delete;
  ~chosen_points() {
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      places_[i].alpha.copy_(before_[i]);
      *places_[i].temperature = temperatures_[i];
    }
  }

 private:
  std::vector<searched_place> places_;
  std::vector<tensor> before_;
  std::vector<double> temperatures_;
};

}  // namespace fmsb::dash
