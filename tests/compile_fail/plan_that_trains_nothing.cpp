// expected-error: "fmsb::adapt::plan: nothing is left to train"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/plan.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

template <class Plan = adapt::none>
struct model : nn::composite<typename Plan::template child<"q", nn::linear<4, 4, nn::bias_term::no>>> {
  using plan = Plan;
  using plain = model<>;
};

#ifdef FAILS
using plan = adapt::plan<adapt::rule<adapt::names<"q">, adapt::frozen>>;
#else
using plan = adapt::plan<adapt::rule<adapt::names<"q">, adapt::beft>>;
#endif
nn::module<model<plan>> built{nullptr};
