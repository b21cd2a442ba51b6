// expected-error: "merging an adapter gives a layer of another type than the plain type"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/merge.hpp"
#include "fmsb/adapt/plan.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

template <class Plan = adapt::none>
struct model : nn::composite<typename Plan::template child<"q", nn::linear<4, 4, nn::bias_term::no>>> {
#ifdef FAILS
  using plain = model<>;
#else
  using plain = model<typename Plan::merged>;
#endif
};

using plan = adapt::plan<adapt::rule<adapt::names<"q">, adapt::beft>>;
void merges(const nn::module<model<plan>>& adapted) { adapt::merge(adapted); }
