#pragma once
#include "fmsb/nn/counts.hpp"        // parameters, trainable_parameters
#include "fmsb/nn/module.hpp"        // module, concrete
#include "fmsb/nn/module_check.hpp"  // module_check, check_report, check_options

#include <concepts>     // std::convertible_to
#include <cstddef>      // std::size_t
#include <memory>       // std::make_shared
#include <tuple>        // std::tuple, std::apply
#include <type_traits>  // std::is_same_v

namespace fmsb::nn {

namespace detail {

template <class T, class... Inputs>
concept passes = requires(concrete<T>& m, const Inputs&... inputs) {
  { m.forward(inputs...) } -> std::convertible_to<tensor>;
};

template <layer_type T, class... Inputs>
checked_module checked(const module<T>& m, const Inputs&... inputs) {
  checked_module result;
  result.original = m.ptr();
  result.type = m->describe();
  result.parameters = nn::parameters<T>;
  result.trainable_parameters = nn::trainable_parameters<T>;
  std::size_t position = 0;
  const auto collect = [&]<class Input>(const Input& x) {
    ++position;
    if constexpr (std::is_same_v<Input, tensor>) {
      result.inputs.push_back(x);
      result.positions.push_back(position);
    }
  };
  (collect(inputs), ...);
  result.build = [m]() -> std::shared_ptr<torch::nn::Module> { return build_as<T>(*m); };
  result.forward = [all = std::tuple<Inputs...>(inputs...)](torch::nn::Module& module,
                                                            const std::vector<tensor>& tensors) {
    auto arguments = all;
    std::size_t next = 0;
    const auto put = [&]<class Input>(Input& x) {
      if constexpr (std::is_same_v<Input, tensor>) x = tensors[next++];
    };
    return std::apply(
        [&](auto&... x) -> tensor {
          (put(x), ...);
          return dynamic_cast<concrete<T>&>(module).forward(x...);
        },
        arguments);
  };
  return result;
}

}  // namespace detail

/// Tries out whether a layer keeps what the library and its users rely on, and says in sentences what it does
/// not. For tests of one's own layers, with any test framework or none:
///
///     const auto report = nn::check_module(nn::module<my_layer>(), torch::randn({2, 8}));
///     if (!report.sound()) std::cerr << report << "\n";
///
/// Checked, on clones (the module, its gradients and LibTorch's generator are left as they were):
/// - `parameters<T>` and `trainable_parameters<T>` equal what `reset()` registers;
/// - a clone computes the same and shares no tensor, parameters and buffers alike;
/// - in eval mode two passes are equal and change nothing; in training mode they are equal under one seed,
/// and
///   change buffers at most; the shape of the output is the same in all;
/// - a module that is loaded from the file of this one computes the same;
/// - moved to double it computes in double, and moved back it computes the same;
/// - in double, in both modes, the gradients of every floating-point input and every trainable parameter
/// equal
///   central differences of a drawn projection of the output, along drawn directions:
///   |g.v - difference| <= tolerance * max(|g|, |difference|), for outputs and gradients of comparable size;
/// - every tensor that requires a gradient is registered.
///
/// A layer with a kink (relu) can fail where an input stands within `step` of it: draw another input. So does
/// a layer that holds a gradient back on purpose, as an embedding does for its padding token: leave such
/// inputs out. An exception of the layer becomes a sentence of the report.
///
/// @param m       any module on the CPU; `forward` takes the inputs and returns one tensor
/// @param inputs  tensors, floating-point ones in the module's number type; other arguments are handed on
template <layer_type T, class... Inputs>
check_report check_module(const module<T>& m, const check_options& options, const Inputs&... inputs) {
  static_assert(detail::passes<T, Inputs...>,
                "fmsb::nn::check_module(module, inputs...): forward does not take these inputs, or returns "
                "something else than a tensor");
  return detail::module_check(detail::checked(m, inputs...), options).run();
}

/// The same with the usual options.
template <layer_type T, class... Inputs>
check_report check_module(const module<T>& m, const Inputs&... inputs) {
  return check_module(m, check_options{}, inputs...);
}

}  // namespace fmsb::nn
