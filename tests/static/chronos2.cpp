// What the released Chronos-2 holds and what each way of adapting it trains, as constants of the types.
#include "fmsb/models/chronos2.hpp"  // chronos2, chronos2_base

#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/bitfit.hpp"       // bitfit
#include "fmsb/adapt/fourier_ft.hpp"   // fourier_ft
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning
#include "fmsb/adapt/vera.hpp"         // vera

namespace {

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;

template <class Plan = adapt::none>
using model = models::chronos2<models::chronos2_base, Plan>;
template <class Plan>
constexpr index_t trained = nn::trainable_parameters<model<Plan>>;

static_assert(nn::parameters<model<>> == 119'477'664);
static_assert(trained<adapt::none> == 119'477'664);
static_assert(models::chronos2_base.prediction_length() == 1'024 && model<>::quantiles.size() == 21);

/// The published recipe: r = 8, alpha = 16 on all attention and on the last layer.
using lora = plan<rule<names<"self_attention.q", "self_attention.k", "self_attention.v", "self_attention.o",
                             "output_patch_embedding.output_layer">,
                       adapt::lora<8, adapt::lora_options{.alpha = 16}>>>;
static_assert(trained<lora> == 24 * 4 * 8 * (768 + 768) + 8 * (3072 + 336));
static_assert(trained<lora> == 1'206'912);

/// Biases are in the patch embeddings alone.
static_assert(trained<plan<rule<names<"hidden_layer", "output_layer", "residual_layer">, adapt::bitfit>>> ==
              8'352);
static_assert(trained<plan<rule<names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>>> == 28'416);
static_assert(trained<plan<rule<names<"q", "v">, adapt::fourier_ft<100>>>> == 4'800);
static_assert(trained<plan<rule<names<"q", "v">, adapt::vera<256>>>> == 48 * (256 + 768));
static_assert(trained<plan<rule<names<"v">, adapt::beft>>> == 24 * 768);

/// Along time alone, and across series alone.
static_assert(trained<plan<rule<names<"layer.0.self_attention.q">, adapt::fourier_ft<100>>>> == 1'200);
static_assert(trained<plan<rule<names<"layer.1.self_attention.q">, adapt::fourier_ft<100>>>> == 1'200);

}  // namespace
