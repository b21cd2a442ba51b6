// expected-error: "takes optimiser options for each rule of the plan, in its order, or one for all"
#include "fmsb/adapt/groups.hpp"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/nn/linear.hpp"

#include <torch/optim/adam.h>

using namespace fmsb;

template <class Plan = adapt::none>
struct model : nn::composite<typename Plan::template child<"q", nn::linear<4, 4>>> {
  using plan = Plan;
};
using adapted = model<adapt::plan<adapt::rule<adapt::names<"q">, adapt::lora<2>>>>;

auto of(const nn::module<adapted>& m) {
#ifdef FAILS
  return adapt::groups(m, torch::optim::AdamOptions(1e-3), torch::optim::AdamOptions(1e-4));
#else
  return adapt::groups(m, torch::optim::AdamOptions(1e-3));
#endif
}
