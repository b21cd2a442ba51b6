#pragma once
#include "fmsb/adapt/adapted.hpp"     // adapted, linear_map
#include "fmsb/core/error.hpp"        // usage_error
#include "fmsb/core/number_text.hpp"  // number_text
#include "fmsb/nn/initialise.hpp"     // drawn_normal, filled

#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <string>   // std::string, std::to_string
#include <utility>  // std::move, std::pair
#include <vector>   // std::vector

namespace fmsb::adapt {

struct ada_lora_options {
  double alpha = 8;  ///< numerator of the scale
  friend bool operator==(const ada_lora_options&, const ada_lora_options&) = default;
};

/// What a rank allocator sees of a layer, whatever its type.
class ada_lora_layer {
 public:
  tensor lora_A;  ///< [rank, in], directions of the input
  tensor lora_B;  ///< [out, rank], directions of the output
  tensor lora_E;  ///< [rank, 1], their weights, as singular values; zero where a direction was taken away

 protected:
  ada_lora_layer() = default;
  ada_lora_layer(const ada_lora_layer&) = default;
  ada_lora_layer& operator=(const ada_lora_layer&) = default;
  virtual ~ada_lora_layer() = default;
};

/// Low-rank adaptation whose ranks are shared out while it trains: y = W x + b + s B (lora_E o A) x, with
/// s = alpha / (rank + 1e-5) (Zhang et al., "Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning",
/// ICLR 2023, eq. 3; the scale is that of Python's peft). `rank_allocator` takes directions away, over all
/// layers of a model, by setting their lora_E to zero; `orthogonality` is the penalty that keeps A and B near
/// orthogonal.
///
/// Registers `lora_A`, `lora_B`, drawn from N(0, 0.02), and `lora_E`, zero: the adapted layer begins as its
/// base. The scale keeps to the first rank when directions go.
///
/// @tparam Rank  directions of a layer when training starts
template <index_t Rank = 12, ada_lora_options Options = {}>
struct ada_lora {
  static_assert(Rank >= 1, "fmsb::adapt::ada_lora<Rank> requires a rank of at least 1");
  static constexpr index_t rank = Rank;
  static constexpr ada_lora_options options = Options;
  static constexpr double scale() { return Options.alpha / (static_cast<double>(Rank) + 1e-5); }
  static std::string describe() {
    return "ada_lora(rank=" + std::to_string(Rank) + ", alpha=" + number_text(Options.alpha) + ")";
  }
  template <class Base>  // a layer: clang 19 takes no constraint here, where the class follows outside
  class on;
};

/// The adapted layer.
template <index_t Rank, ada_lora_options Options>
template <class Base>
class ada_lora<Rank, Options>::on
    : public adapted<Base, nn::sum_of(nn::product_of(Rank, detail::in_features_of<Base>),
                                      nn::product_of(Rank, detail::out_features_of<Base>), Rank)>,
      public ada_lora_layer {
  static constexpr bool fits = [] {
    if constexpr (linear_map<Base> && detail::has_biased<nn::plain_of<Base>>)
      return Base::spatial_axes == 0;
    else
      return false;
  }();
  static_assert(fits,
                "fmsb::adapt::ada_lora adapts linear layers; fmsb::adapt::lora adapts convolutions and "
                "embeddings as well, with a rank that stays");
  static_assert(
      !requires(const Base& layer) { layer.lora_A; },
      "fmsb::adapt::ada_lora stands on a layer without lora, dora or another ada_lora: their "
      "parameters have the same names");

 public:
  using adapter = ada_lora;
  using parent = adapted<Base, on::adapter_parameter_count>;
  using parent::parent;

  void reset() override {
    parent::reset();
    const auto in = this->weight.size(1), out = this->weight.size(0);
    lora_A = this->register_parameter("lora_A", nn::drawn_normal({Rank, in}, 0.02));
    lora_B = this->register_parameter("lora_B", nn::drawn_normal({out, Rank}, 0.02));
    lora_E = this->register_parameter("lora_E", nn::filled({Rank, 1}, 0));
  }

  tensor forward(const tensor& x) const {
    return Base::forward(x).add(at::linear(at::linear(x, lora_A * lora_E), lora_B), scale());
  }
  tensor effective_weight() const {
    return Base::effective_weight() + at::mm(lora_B, lora_A * lora_E) * scale();
  }

  std::string describe() const override { return Base::describe() + " + " + ada_lora::describe(); }
};

/// The ada_lora layers of a module with their names, in the order of its children.
inline std::vector<std::pair<std::string, ada_lora_layer*>> ada_lora_layers(torch::nn::Module& module) {
  std::vector<std::pair<std::string, ada_lora_layer*>> found;
  for (const auto& part : module.named_modules("", /*include_self=*/true))
    if (auto* layer = dynamic_cast<ada_lora_layer*>(part.value().get()))
      found.emplace_back(part.key(), layer);
  return found;
}

/// The penalty that keeps A and B near orthogonal: the mean, over every A and B of the module, of
/// |A A' - I| and |B' B - I| in the Frobenius norm (eq. 4 there, as peft averages it). Add it to the loss
/// with a weight, 0.5 in peft; 0 for a module without such layers.
inline tensor orthogonality(torch::nn::Module& module) {
  std::vector<tensor> norms;
  for (const auto& [name, layer] : ada_lora_layers(module))
    for (const auto& covariance :
         {at::mm(layer->lora_A, layer->lora_A.t()), at::mm(layer->lora_B.t(), layer->lora_B)})
      norms.push_back((covariance - at::eye(covariance.size(0), covariance.options())).norm());
  return norms.empty() ? at::zeros({}, at::kFloat) : at::stack(norms).mean();
}

/// When directions go, in optimiser steps.
struct rank_schedule {
  index_t target_rank = 8;          ///< directions a layer, on average, at the end
  index_t warm_up = 0;              ///< steps before the first goes: t_init
  index_t final_steps = 0;          ///< last steps, when none goes any more: t_final
  index_t every = 1;                ///< steps from one decision to the next: delta T
  index_t total = 0;                ///< steps in all
  double sensitivity_decay = 0.85;  ///< beta_1 of the running mean of the sensitivity
  double uncertainty_decay = 0.85;  ///< beta_2 of that of its uncertainty

  /// Directions that all layers keep at a step: `start` at first, then down as the cube of what is left of
  /// the way, then `target` (eq. 12 there).
  index_t budget(index_t step, index_t start, index_t target) const {
    if (step <= warm_up) return start;
    if (step > total - final_steps) return target;
    const double left =
        1 - static_cast<double>(step - warm_up) / static_cast<double>(total - final_steps - warm_up);
    return static_cast<index_t>(static_cast<double>(start - target) * left * left * left +
                                static_cast<double>(target));
  }
  /// Whether directions are weighed and taken away at a step.
  bool decides(index_t step) const {
    if (step <= warm_up) return false;
    return step >= total - final_steps || step % every == 0;
  }
};

/// Shares a budget of directions out over the ada_lora layers of a model, by their importance: of each
/// number, the running mean of |w dL/dw| times the running mean of how far it strays from it; of a direction,
/// its lora_E's and the means of its row of A and its column of B (eqs. 7 to 11 there).
///
/// Call `step(t)`, t = 0, 1, .., after the optimiser's step and before the gradients are cleared. A direction
/// that was taken away may come back before the last decision: its gradient lives on.
class rank_allocator {
 public:
  /// @throws usage_error if the model has no ada_lora layer, the schedule does not fit into its steps, or the
  ///         target is larger than the ranks
  rank_allocator(torch::nn::Module& model, const rank_schedule& schedule) : schedule_(schedule) {
    for (const auto& [name, layer] : ada_lora_layers(model)) {
      entries_.push_back({name, layer, {}, {}});
      start_ += layer->lora_E.size(0);
    }
    if (entries_.empty())
      throw usage_error(
          "fmsb::adapt::rank_allocator: the model has no layer with ada_lora. Name some in its plan.");
    target_ = schedule.target_rank * static_cast<index_t>(entries_.size());
    if (schedule.target_rank < 0 || target_ > start_)
      throw usage_error("fmsb::adapt::rank_allocator: a target of " + std::to_string(schedule.target_rank) +
                        " directions a layer was given, but the layers start with " + std::to_string(start_) +
                        " in all, " + std::to_string(entries_.size()) + " layers. Give a smaller target.");
    if (schedule.warm_up < 0 || schedule.final_steps < 0 || schedule.every < 1 ||
        schedule.warm_up + schedule.final_steps >= schedule.total)
      throw usage_error("fmsb::adapt::rank_allocator: a warm-up of " + std::to_string(schedule.warm_up) +
                        " and " + std::to_string(schedule.final_steps) +
                        " final steps leave nothing of a total of " + std::to_string(schedule.total) +
                        " steps, or a decision is to be made every " + std::to_string(schedule.every) +
                        " steps. Give more steps in all.");
  }

  /// @return whether directions were weighed at this step
  /// @throws usage_error if a layer has no gradient while importance is still gathered
  bool step(index_t step) {
    const torch::NoGradGuard no_gradient;
    const index_t last = schedule_.total - schedule_.final_steps;
    if (step > last) {
      for (const auto& part : entries_)
        if (part.taken.defined()) part.layer->lora_E.masked_fill_(part.taken, 0);
      return false;
    }
    if (step < last) observe();
    const bool now = schedule_.decides(step);
    if (now) mask(schedule_.budget(step, start_, target_));
    return now;
  }

  /// Directions that a layer has kept, by the layer's name.
  std::vector<std::pair<std::string, index_t>> ranks() const {
    std::vector<std::pair<std::string, index_t>> kept;
    for (const auto& part : entries_)
      kept.emplace_back(part.name, part.taken.defined() ? part.taken.logical_not().sum().item<index_t>()
                                                        : part.layer->lora_E.size(0));
    return kept;
  }

 private:
  struct running {
    tensor sensitivity, uncertainty;
    tensor importance() const { return sensitivity * uncertainty; }
  };
  struct entry {
    std::string name;
    ada_lora_layer* layer;
    std::array<running, 3> means;  // of A, B, E
    tensor taken;                  // [rank, 1], true where a direction is gone
  };

  void observe() {
    for (auto& part : entries_) {
      const std::array parameters{part.layer->lora_A, part.layer->lora_B, part.layer->lora_E};
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto& p = parameters[i];
        if (!p.grad().defined())
          throw usage_error("fmsb::adapt::rank_allocator: \"" + part.name +
                            "\" has no gradient. Call step after backward and before zero_grad.");
        auto& mean = part.means[i];
        if (!mean.sensitivity.defined()) mean = {at::zeros_like(p), at::zeros_like(p)};
        const double b1 = schedule_.sensitivity_decay, b2 = schedule_.uncertainty_decay;
        const auto now = (p * p.grad()).abs();
        mean.sensitivity = mean.sensitivity * b1 + now * (1 - b1);
        mean.uncertainty = mean.uncertainty * b2 + (now - mean.sensitivity).abs() * (1 - b2);
      }
    }
  }

  void mask(index_t budget) {
    std::vector<tensor> scores;
    for (const auto& part : entries_)
      scores.push_back(part.means[2].importance().flatten() + part.means[0].importance().mean(1) +
                       part.means[1].importance().mean(0));
    const index_t gone = start_ - budget;
    const auto all = at::cat(scores);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& part = entries_[i];
      part.taken = gone == 0 ? at::zeros_like(part.layer->lora_E, at::kBool)
                             : (scores[i] <= std::get<0>(all.kthvalue(gone))).view({-1, 1});
      part.layer->lora_E.masked_fill_(part.taken, 0);
    }
  }

  rank_schedule schedule_;
  std::vector<entry> entries_;
  index_t start_ = 0, target_ = 0;
};

}  // namespace fmsb::adapt
