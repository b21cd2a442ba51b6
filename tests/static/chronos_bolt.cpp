// What the sizes of Chronos-Bolt hold and what each way of adapting them trains, as constants of the types.
#include "fmsb/models/chronos_bolt.hpp"  // chronos_bolt, chronos_bolt_tiny

#include "fmsb/adapt/bitfit.hpp"       // bitfit
#include "fmsb/adapt/fourier_ft.hpp"   // fourier_ft
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning

namespace {

using namespace fmsb;
using namespace fmsb::models;
using adapt::names, adapt::plan, adapt::rule;
using nn::parameters, nn::trainable_parameters;

using lora = plan<rule<names<"q", "k", "v", "o">, adapt::lora<2>>>;
using fourier = plan<rule<names<"q", "v">, adapt::fourier_ft<100>>>;
using norms = plan<rule<names<"layer_norm", "final_layer_norm">, adapt::norm_tuning>>;
using biases = plan<rule<names<"hidden_layer", "output_layer", "residual_layer">, adapt::bitfit>>;

/// A row of the table: the numbers held, and those that train under each plan.
struct row {
  index_t held, lora, fourier, norms, biases;
  friend constexpr bool operator==(const row&, const row&) = default;
};

template <chronos_bolt_config C>
constexpr row row_of{.held = parameters<chronos_bolt<C>>,
                     .lora = trainable_parameters<chronos_bolt<C, lora>>,
                     .fourier = trainable_parameters<chronos_bolt<C, fourier>>,
                     .norms = trainable_parameters<chronos_bolt<C, norms>>,
                     .biases = trainable_parameters<chronos_bolt<C, biases>>};

static_assert(row_of<chronos_bolt_tiny> == row{8'652'672, 49'152, 2'400, 5'632, 3'712});
static_assert(row_of<chronos_bolt_mini> == row{21'236'096, 86'016, 2'400, 8'448, 4'992});
static_assert(row_of<chronos_bolt_small> == row{47'718'016, 147'456, 3'600, 16'384, 6'272});
static_assert(row_of<chronos_bolt_base> == row{205'292'928, 442'368, 7'200, 47'616, 8'832});

static_assert(chronos::quantile_model<chronos_bolt<chronos_bolt_tiny>> &&
              chronos::quantile_model<chronos_bolt<chronos_bolt_base, lora>>);

}  // namespace
