// What the sizes of Chronos-T5 hold and what each way of adapting them trains, as constants of the types.
#include "fmsb/models/t5.hpp"  // t5, chronos_t5_tiny

#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/fourier_ft.hpp"   // fourier_ft
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning
#include "fmsb/adapt/vera.hpp"         // vera

namespace {

using namespace fmsb;
using namespace fmsb::models;
using adapt::names, adapt::plan, adapt::rule;
using nn::parameters, nn::trainable_parameters;

using lora = plan<rule<names<"q", "k", "v", "o">, adapt::lora<2>>>;
using vera = plan<rule<names<"q", "v">, adapt::vera<256>>>;
using fourier = plan<rule<names<"q", "v">, adapt::fourier_ft<100>>>;
using norms = plan<rule<names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>>;
using attention_norms =
    plan<rule<names<"layer.0.layer_norm", ".decoder.block.*.layer.1.layer_norm">, adapt::norm_tuning>>;
using biases = plan<rule<names<"v">, adapt::beft>>;

/// A row of the table: the numbers held, and those that train under each plan.
struct row {
  index_t held, lora, vera, fourier, norms, attention_norms, biases;
  friend constexpr bool operator==(const row&, const row&) = default;
};

template <t5_config C>
constexpr row row_of{.held = parameters<t5<C>>,
                     .lora = trainable_parameters<t5<C, lora>>,
                     .vera = trainable_parameters<t5<C, vera>>,
                     .fourier = trainable_parameters<t5<C, fourier>>,
                     .norms = trainable_parameters<t5<C, norms>>,
                     .attention_norms = trainable_parameters<t5<C, attention_norms>>,
                     .biases = trainable_parameters<t5<C, biases>>};

static_assert(row_of<chronos_t5_tiny> == row{8'394'496, 49'152, 12'288, 2'400, 5'632, 3'072, 3'072});
static_assert(row_of<chronos_t5_mini> == row{20'456'192, 86'016, 18'432, 2'400, 8'448, 4'608, 6'144});
static_assert(row_of<chronos_t5_small> == row{46'154'240, 147'456, 27'648, 3'600, 16'384, 9'216, 9'216});
static_assert(row_of<chronos_t5_base> == row{201'374'976, 442'368, 73'728, 7'200, 47'616, 27'648, 27'648});
static_assert(row_of<chronos_t5_large> ==
              row{708'963'328, 1'179'648, 184'320, 14'400, 124'928, 73'728, 73'728});

}  // namespace
