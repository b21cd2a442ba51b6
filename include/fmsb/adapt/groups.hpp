#pragma once
#include "fmsb/adapt/merge.hpp"  // has_blocks, has_children
#include "fmsb/adapt/plan.hpp"   // joined

#include <torch/optim/optimizer.h>  // torch::optim::OptimizerParamGroup

#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <memory>       // std::unique_ptr
#include <tuple>        // std::tuple
#include <type_traits>  // std::type_identity
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::adapt {

namespace detail {

/// The first rule that names a path; their number where none does.
template <fixed_string Path, class... Rules>
constexpr std::size_t rule_of(std::type_identity<std::tuple<Rules...>>) {
  std::size_t at = 0, found = sizeof...(Rules);
  ((found == sizeof...(Rules) && Rules::patterns::match(Path.view()) ? void(found = at) : void(), ++at), ...);
  return found;
}

template <class Rules, fixed_string Path, class T, std::size_t Count>
void gather(const T& part, std::array<std::vector<tensor>, Count>& groups) {
  if constexpr (has_blocks<T>) {
    gather<Rules, joined<Path, "*">()>(part.first(), groups);
    for (index_t i = 1; i < T::size; ++i) gather<Rules, joined<Path, "*">()>(part[i], groups);
  } else if constexpr (has_children<T>) {
    [&]<class... Children>(std::type_identity<std::tuple<Children...>>) {
      (gather<Rules, joined<Path, Children::name>()>(part.template at<Children::name>(), groups), ...);
    }(std::type_identity<typename T::children>{});
  } else {
    constexpr auto rule = rule_of<Path>(std::type_identity<Rules>{});
    if constexpr (rule < Count)
      for (const auto& p : part.parameters())
        if (p.requires_grad()) groups[rule].push_back(p);
  }
}

}  // namespace detail

/// Parameter groups for an optimiser of LibTorch, one for each rule of the model's plan, in the plan's order,
/// with the trainable parameters of the layers that the rule adapts. What is frozen is in none, so the
/// optimiser keeps no state for it. What trains outside of all rules, a composite's own parameter, is in a
/// last group with the first options.
///
///     torch::optim::AdamW adam(adapt::groups(model, torch::optim::AdamWOptions(1e-3),
///                                            torch::optim::AdamWOptions(1e-4).weight_decay(0.1)));
///
/// @param options  one for each rule, or one for all; any of LibTorch's optimiser options
template <class T, class... Options>
std::vector<torch::optim::OptimizerParamGroup> groups(const nn::module<T>& model, const Options&... options) {
  using rules = typename T::plan::rules;
  constexpr std::size_t count = std::tuple_size_v<rules>;
  static_assert(sizeof...(Options) == count || sizeof...(Options) == 1,
                "fmsb::adapt::groups takes optimiser options for each rule of the plan, in its order, or one "
                "for all");
  std::array<std::vector<tensor>, count> parameters;
  detail::gather<rules, "">(static_cast<const T&>(*model), parameters);

  std::vector<std::unique_ptr<torch::optim::OptimizerOptions>> chosen;
  (chosen.push_back(static_cast<const torch::optim::OptimizerOptions&>(options).clone()), ...);
  const auto options_of = [&](std::size_t i) { return chosen[i < chosen.size() ? i : 0]->clone(); };
  std::vector<torch::optim::OptimizerParamGroup> all;
  std::vector<tensor> rest = model->parameters();
  std::erase_if(rest, [&](const tensor& p) {
    if (!p.requires_grad()) return true;
    for (const auto& group : parameters)
      for (const auto& q : group)
        if (p.is_same(q)) return true;
    return false;
  });
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(std::move(parameters[i]), options_of(i));
  if (!rest.empty()) all.emplace_back(std::move(rest), options_of(0));
  return all;
}

}  // namespace fmsb::adapt
