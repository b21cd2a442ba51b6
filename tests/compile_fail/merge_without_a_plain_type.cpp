// expected-error: "fmsb::adapt::merge: a composite that holds adapters must tell its plain type"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/adapt/merge.hpp"
#include "fmsb/adapt/plan.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

template <class Plan = adapt::none>
struct model : nn::composite<typename Plan::template child<"q", nn::linear<4, 4>>> {
#ifndef FAILS
  using plain = model<>;
#endif
};

using plan = adapt::plan<adapt::rule<adapt::names<"q">, adapt::lora<2>>>;
void merges(const nn::module<model<plan>>& adapted) { adapt::merge(adapted); }
