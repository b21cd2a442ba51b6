#pragma once
#include "fmsb/adapt/ada_lora.hpp"     // ada_lora
#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/dora.hpp"         // dora
#include "fmsb/adapt/fourier_ft.hpp"   // fourier_ft
#include "fmsb/adapt/ia3.hpp"          // ia3
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning
#include "fmsb/adapt/vera.hpp"         // vera

#include <nlohmann/json.hpp>  // nlohmann::json

#include <cmath>    // std::floor
#include <string>   // std::string
#include <utility>  // std::move, std::pair
#include <vector>   // std::vector

/// How Python's peft spells each adapter: the fields of its configuration, the names and shapes of its
/// tensors.
namespace fmsb::adapt::detail {

/// An adapter's tensor under its name in a file, less the layer's path.
struct peft_tensor {
  std::string suffix;
  tensor value;
  std::vector<index_t> shape;  ///< in the file; the numbers are the same in the same order
  peft_tensor(std::string s, tensor v)
      : suffix(std::move(s)), value(std::move(v)), shape(value.sizes().vec()) {}
  peft_tensor(std::string s, tensor v, std::vector<index_t> n)
      : suffix(std::move(s)), value(std::move(v)), shape(std::move(n)) {}
};

/// A whole number as such, as a user of Python writes it.
inline nlohmann::json number_field(double x) {
  if (std::floor(x) == x && std::abs(x) < 1e15) return static_cast<std::int64_t>(x);
  return x;
}

/// `type`: peft's name. `fixed()`: fields that decide what the numbers mean; they must agree. `free()`: the
/// others that peft should find. `tensors(layer)`.
template <class Adapter>
struct peft_method {
  static constexpr const char* type = nullptr;  ///< peft has no such file
};

template <index_t Rank, lora_options Options>
struct peft_method<lora<Rank, Options>> {
  static constexpr const char* type = "LORA";
  static nlohmann::json fixed() {
    return {{"r", Rank},
            {"lora_alpha", number_field(lora<Rank, Options>::alpha)},
            {"use_rslora", Options.rank_stabilised},
            {"lora_bias", Options.bias},
            {"use_dora", false}};
  }
  static nlohmann::json free() {
    return {{"lora_dropout", Options.dropout}, {"bias", "none"}, {"fan_in_fan_out", false}};
  }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    if constexpr (requires { Layer::is_table; }) {
      if constexpr (requires { layer.lora_embedding_A; })
        return {{"lora_embedding_A", layer.lora_embedding_A}, {"lora_embedding_B", layer.lora_embedding_B}};
      else
        return {{"lora_embedding_A", layer.lora_A}, {"lora_embedding_B", layer.lora_B}};
    } else {
      std::vector<peft_tensor> all{{"lora_A.weight", layer.lora_A}, {"lora_B.weight", layer.lora_B}};
      if constexpr (Options.bias) all.emplace_back("lora_B.bias", layer.lora_B_bias);
      return all;
    }
  }
};

template <index_t Rank, lora_options Options>
struct peft_method<dora<Rank, Options>> {
  static constexpr const char* type = "LORA";
  static nlohmann::json fixed() {
    auto fields = peft_method<lora<Rank, Options>>::fixed();
    fields["use_dora"] = true;
    return fields;
  }
  static nlohmann::json free() { return peft_method<lora<Rank, Options>>::free(); }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"lora_A.weight", layer.lora_A},
            {"lora_B.weight", layer.lora_B},
            {"lora_magnitude_vector", layer.lora_magnitude_vector}};
  }
};

template <index_t Rank, vera_options Options>
struct peft_method<vera<Rank, Options>> {
  static constexpr const char* type = "VERA";
  static nlohmann::json fixed() { return {{"r", Rank}, {"projection_prng_key", Options.key}}; }
  static nlohmann::json free() {
    return {{"vera_dropout", Options.dropout},
            {"d_initial", Options.initial_d},
            {"save_projection", true},
            {"bias", "none"},
            {"fan_in_fan_out", false}};
  }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"vera_lambda_b", layer.vera_lambda_b}, {"vera_lambda_d", layer.vera_lambda_d}};
  }
  /// The matrices that all layers share, [rank, widest input] and [widest output, rank].
  template <class Layer>
  static std::pair<tensor, tensor> shared(const Layer& layer) {
    const projections_key key{Rank,
                              Options.max_in > 0 ? Options.max_in : layer.weight.size(1),
                              Options.max_out > 0 ? Options.max_out : layer.weight.size(0),
                              Options.key,
                              at::kFloat,
                              at::kCPU,
                              -1};
    const auto drawn = shared_projections(key);
    return {drawn->a.matrix(), drawn->b.matrix()};
  }
};

template <index_t N, fourier_ft_options Options>
struct peft_method<fourier_ft<N, Options>> {
  static constexpr const char* type = "FOURIERFT";
  static nlohmann::json fixed() {
    return {
        {"n_frequency", N}, {"scaling", number_field(Options.scaling)}, {"random_loc_seed", Options.seed}};
  }
  static nlohmann::json free() {
    return {{"init_weights", Options.starts_as_base}, {"bias", "none"}, {"fan_in_fan_out", false}};
  }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"fourierft_spectrum", layer.fourierft_spectrum}};
  }
};

template <>
struct peft_method<norm_tuning> {
  static constexpr const char* type = "LN_TUNING";
  static nlohmann::json fixed() { return nlohmann::json::object(); }
  static nlohmann::json free() { return nlohmann::json::object(); }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    std::vector<peft_tensor> all;
    for (const auto& item : layer.tuned().named_parameters())
      all.emplace_back("ln_tuning_layers." + item.key(), item.value());
    return all;
  }
};

template <ia3_options Options>
struct peft_method<ia3<Options>> {
  static constexpr const char* type = "IA3";
  static constexpr bool feed_forward = Options.feed_forward;
  static nlohmann::json fixed() { return nlohmann::json::object(); }
  static nlohmann::json free() { return {{"fan_in_fan_out", false}}; }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"ia3_l", layer.ia3_l}};
  }
};

template <index_t Rank, ada_lora_options Options>
struct peft_method<ada_lora<Rank, Options>> {
  static constexpr const char* type = "ADALORA";
  static nlohmann::json fixed() { return {{"init_r", Rank}, {"lora_alpha", number_field(Options.alpha)}}; }
  /// The schedule is over when a file is written; peft asks for one all the same.
  static nlohmann::json free() {
    return {{"target_r", Rank},  {"tinit", 0},
            {"tfinal", 0},       {"deltaT", 1},
            {"total_step", 1},   {"r", Rank},
            {"lora_dropout", 0}, {"rank_pattern", nullptr},
            {"bias", "none"},    {"fan_in_fan_out", false}};
  }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"lora_A", layer.lora_A}, {"lora_B", layer.lora_B}, {"lora_E", layer.lora_E}};
  }
};

template <>
struct peft_method<beft> {
  static constexpr const char* type = "BEFT";
  static nlohmann::json fixed() { return nlohmann::json::object(); }
  static nlohmann::json free() { return nlohmann::json::object(); }
  template <class Layer>
  static std::vector<peft_tensor> tensors(const Layer& layer) {
    return {{"beft_bias", layer.beft_bias, std::vector<index_t>{1, layer.beft_bias.size(0)}}};
  }
};

}  // namespace fmsb::adapt::detail
