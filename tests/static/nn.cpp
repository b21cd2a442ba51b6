// Counts, receptive fields and strides of layers, as constants.
#include "fmsb/adapt/adapted.hpp"  // linear_map
#include "fmsb/adapt/lora.hpp"     // lora
#include "fmsb/nn/attention.hpp"   // multi_head_attention
#include "fmsb/nn/batch_norm.hpp"  // batch_norm
#include "fmsb/nn/conv.hpp"        // conv1d, conv2d
#include "fmsb/nn/dropout.hpp"     // dropout
#include "fmsb/nn/embedding.hpp"   // embedding
#include "fmsb/nn/layer_norm.hpp"  // layer_norm
#include "fmsb/nn/linear.hpp"      // linear
#include "fmsb/nn/repeat.hpp"      // repeat
#include "fmsb/nn/rms_norm.hpp"    // rms_norm

#include <array>        // std::array
#include <concepts>     // std::same_as
#include <type_traits>  // std::is_empty_v

namespace {

using namespace fmsb;
using namespace fmsb::nn;

// Parameters.
static_assert(parameters<linear<3, 5>> == 20 && parameters<linear<3, 5, bias_term::no>> == 15);
static_assert(parameters<linear<3, dynamic>> == dynamic);
static_assert(parameters<conv1d<4, 6, 3>> == 4 * 6 * 3 + 6);
static_assert(parameters<conv2d<4, 6, 3>> == 4 * 6 * 9 + 6);
static_assert(parameters<conv1d<4, 6, 3, {.groups = 2, .bias = bias_term::no}>> == 2 * 6 * 3);
static_assert(parameters<conv2d<8, 8, 5, {.groups = 8}>> == 8 * 25 + 8);
static_assert(parameters<conv1d<dynamic, 6, 3>> == dynamic);
static_assert(parameters<embedding<4096, 256>> == 1'048'576);
static_assert(parameters<layer_norm<8>> == 16 && parameters<layer_norm<8, {.bias = false}>> == 8);
static_assert(parameters<layer_norm<8, {.affine = false}>> == 0);
static_assert(parameters<layer_norm<>> == dynamic);
static_assert(parameters<rms_norm<8>> == 8);
static_assert(parameters<batch_norm<2, 8>> == 16 && parameters<batch_norm<2, 8, {.affine = false}>> == 0);
static_assert(parameters<dropout<0.1>> == 0);

// T5's tiny size: d_model 256, 4 heads of 64, and its small sibling whose inner width is not the model's.
static_assert(parameters<multi_head_attention<{
                  .width = 256, .inner = 256, .heads = 4, .scaled = false, .bias = bias_term::no}>> ==
              4 * 256 * 256);
static_assert(parameters<multi_head_attention<{
                  .width = 384, .inner = 512, .heads = 8, .scaled = false, .bias = bias_term::no}>> ==
              4 * 384 * 512);

// Multiplications with an addition, for a token or for a position of the output.
static_assert(multiply_adds<linear<3, 5>> == 15);
static_assert(multiply_adds<conv2d<4, 6, 3, {.stride = 2, .groups = 2}>> == 2 * 6 * 9);
static_assert(multiply_adds<embedding<10, 4>> == 0);
static_assert(multiply_adds<multi_head_attention<{.width = 6, .inner = 8}>> == 4 * 48);

// What one position of the output sees.
static_assert(receptive_field<conv1d<1, 1, 5>> == 5);
static_assert(receptive_field<conv1d<1, 1, 5, {.dilation = 3, .padding = same}>> == 13);
static_assert(receptive_field<linear<2, 2>> == 1 && receptive_field<batch_norm<1, 2>> == 1);
static_assert(receptive_field<multi_head_attention<{.width = 6, .inner = 8}>> == dynamic);

// Chains of convolutions against counting on paper: every input position that any path reaches.
template <index_t... Values>
struct numbers {};
template <class Kernels, class Strides, class Dilations>
struct stack;
template <index_t... K, index_t... S, index_t... D>
struct stack<numbers<K...>, numbers<S...>, numbers<D...>> {
  static constexpr index_t counted(index_t position) {
    constexpr std::array kernels{K...}, strides{S...}, dilations{D...};
    std::array<bool, 200> reached{}, before{};
    reached[static_cast<std::size_t>(position)] = true;
    for (std::size_t layer = kernels.size(); layer-- > 0;) {
      before = {};
      for (std::size_t t = 0; t < reached.size(); ++t)
        for (index_t k = 0; reached[t] && k < kernels[layer]; ++k)
          before[t * static_cast<std::size_t>(strides[layer]) +
                 static_cast<std::size_t>(k * dilations[layer])] = true;
      reached = before;
    }
    index_t first = -1, last = 0;
    for (std::size_t t = 0; t < reached.size(); ++t)
      if (reached[t]) last = static_cast<index_t>(t), first = first < 0 ? last : first;
    return 1000 * first + last;
  }
  static constexpr index_t field = counted(0) % 1000 - counted(0) / 1000 + 1;
  static constexpr index_t step = counted(1) / 1000 - counted(0) / 1000;
};

template <index_t K0, index_t S0, index_t D0, index_t K1, index_t S1, index_t D1, index_t K2, index_t S2,
          index_t D2>
constexpr bool chain_is_counted() {
  using chain = sequential<child<"0", conv1d<1, 1, K0, {.stride = S0, .dilation = D0}>>,
                           child<"1", conv1d<1, 1, K1, {.stride = S1, .dilation = D1}>>,
                           child<"2", conv1d<1, 1, K2, {.stride = S2, .dilation = D2}>>>;
  using paper = stack<numbers<K0, K1, K2>, numbers<S0, S1, S2>, numbers<D0, D1, D2>>;
  return nn::receptive_field<chain> == paper::field && nn::stride<chain> == paper::step;
}
static_assert(chain_is_counted<3, 1, 1, 3, 1, 1, 3, 1, 1>());
static_assert(chain_is_counted<3, 1, 1, 3, 1, 2, 3, 1, 4>());
static_assert(chain_is_counted<3, 2, 3, 4, 1, 2, 2, 3, 1>());
static_assert(chain_is_counted<5, 2, 1, 1, 2, 1, 3, 2, 2>());
static_assert(chain_is_counted<7, 3, 2, 3, 2, 5, 2, 1, 3>());
static_assert(chain_is_counted<1, 1, 1, 1, 4, 1, 2, 1, 1>());

// Every layer that is linear in its weight takes adapters.
static_assert(adapt::linear_map<linear<2, 3>> && adapt::linear_map<conv1d<2, 3, 3>> &&
              adapt::linear_map<conv2d<2, 3, 3>> && adapt::linear_map<embedding<2, 3>>);
static_assert(!adapt::linear_map<layer_norm<4>> && !adapt::linear_map<dropout<0.5>>);
static_assert(std::same_as<plain_of<with<conv1d<2, 4, 3>, adapt::lora<2>>>, conv1d<2, 4, 3>>);
static_assert(std::same_as<conv1d<2, 4, 3, {.dilation = 2, .bias = bias_term::no}>::biased,
                           conv1d<2, 4, 3, {.dilation = 2}>>);

// LoRA: rank * (in * kernel) for A, with a rank for each group, and out * rank for B.
static_assert(trainable_parameters<with<linear<8, 6>, adapt::lora<2>>> == 2 * (8 + 6));
static_assert(trainable_parameters<with<conv1d<8, 6, 3>, adapt::lora<2>>> == 2 * 8 * 3 + 6 * 2);
static_assert(trainable_parameters<with<conv2d<8, 6, 3, {.groups = 2}>, adapt::lora<2>>> ==
              2 * 8 * 9 + 6 * 2);
static_assert(trainable_parameters<with<embedding<10, 4>, adapt::lora<2>>> == 2 * (10 + 4));
static_assert(parameters<with<embedding<10, 4>, adapt::lora<2>>> == 40 + 28);
static_assert(trainable_parameters<with<conv1d<dynamic, 6, 3>, adapt::lora<2>>> == dynamic);

}  // namespace
