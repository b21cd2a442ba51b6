#pragma once
#include "fmsb/adapt/beft.hpp"                   // beft
#include "fmsb/adapt/dora.hpp"                   // dora
#include "fmsb/adapt/fourier_ft.hpp"             // fourier_ft
#include "fmsb/adapt/ia3.hpp"                    // ia3
#include "fmsb/adapt/lora.hpp"                   // lora
#include "fmsb/adapt/norm_tuning.hpp"            // norm_tuning
#include "fmsb/adapt/plan.hpp"                   // plan, rule, names
#include "fmsb/adapt/vera.hpp"                   // vera
#include "fmsb/models/chronos/series_start.hpp"  // start_for_series

#include "typed_model.hpp"

#include <algorithm>  // std::max

/// The menu's plans. A group is compiled for one size in one source.
namespace driver {

namespace adapt = fmsb::adapt;

using q_v = adapt::names<"q", "v">;
using q_k_v_o = adapt::names<"q", "k", "v", "o">;
template <class Names, class... Adapters>
using on_layers = adapt::plan<adapt::rule<Names, Adapters...>>;

template <const model_size& Size, class Plan>
menu_item entry(menu_item item) {
  using model_type = fmsb::models::t5<Size.type, Plan>;
  item.size = Size.name;
  item.trained = fmsb::nn::trainable_parameters<model_type>;
  item.open = [methods = item.methods](const std::filesystem::path& folder,
                                       std::uint64_t seed) -> std::unique_ptr<network> {
    torch::manual_seed(seed);
    auto [model, tokens] = fmsb::chronos::load<model_type>(folder);
    return network_of(std::make_shared<typed_model<Size.type, Plan>>(std::move(model)),
                      tokens.configuration(), methods);
  };
  return item;
}

// One entry each, so that a source takes as many as compile in half a minute.

template <const model_size& Size, class Names, int Rank>
menu_item lora(const char* on) {
  return entry<Size, on_layers<Names, adapt::lora<Rank>>>(
      {.adapter = "lora", .number = Rank, .on = on, .methods = {"LORA"}});
}

template <const model_size& Size>
menu_item dora() {
  return entry<Size, on_layers<q_v, adapt::dora<2>>>(
      {.adapter = "dora", .number = 2, .on = "q,v", .methods = {"LORA"}});
}

template <const model_size& Size>
menu_item vera() {
  constexpr fmsb::index_t widest = std::max(Size.type.width, Size.type.inner());
  return entry<Size, on_layers<q_v, adapt::vera<256, {.max_in = widest, .max_out = widest}>>>(
      {.adapter = "vera", .number = 256, .on = "q,v", .rate = 1e-2, .methods = {"VERA"}});
}

template <const model_size& Size, class Names, int N>
menu_item fourier_ft(const char* on) {
  return entry<Size, on_layers<Names, adapt::fourier_ft<N, {.starts_as_base = true}>>>(
      {.adapter = "fourier_ft",
       .number = N,
       .on = on,
       .rate = 0.03 * Size.step_factor,
       .methods = {"FOURIERFT"}});
}

template <const model_size& Size>
menu_item fourier_ft_and_beft() {
  return entry<Size, on_layers<q_v, adapt::fourier_ft<100, {.starts_as_base = true}>, adapt::beft>>(
      {.adapter = "fourier_ft+beft",
       .number = 100,
       .on = "q,v",
       .rate = 0.03 * Size.step_factor,
       .methods = {"FOURIERFT", "BEFT"}});
}

template <const model_size& Size>
menu_item norm_tuning() {
  return entry<Size, on_layers<adapt::names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>>(
      {.adapter = "norm_tuning", .on = "all", .rate = 1e-3, .methods = {"LN_TUNING"}});
}

template <const model_size& Size>
menu_item beft() {
  return entry<Size, on_layers<adapt::names<"v">, adapt::beft>>(
      {.adapter = "beft", .on = "v", .rate = 1e-3, .methods = {"BEFT"}});
}

template <const model_size& Size>
menu_item ia3() {
  using layers = adapt::plan<adapt::rule<adapt::names<"k", "v">, adapt::ia3<>>,
                             adapt::rule<adapt::names<"wo">, adapt::ia3<{.feed_forward = true}>>>;
  return entry<Size, layers>({.adapter = "ia3", .on = "k,v,wo", .rate = 1e-2, .methods = {"IA3"}});
}

template <const model_size& Size>
menu_item whole() {
  auto item = entry<Size, adapt::none>({.adapter = "full", .on = "all", .rate = 1e-4});
  item.make = [](const fmsb::chronos::config& c, std::uint64_t seed) -> std::unique_ptr<network> {
    torch::manual_seed(seed);
    fmsb::nn::module<fmsb::models::t5<Size.type>> model;
    fmsb::chronos::start_for_series(*model, c);
    return network_of(std::make_shared<typed_model<Size.type, adapt::none>>(std::move(model)), c, {});
  };
  return item;
}

}  // namespace driver
