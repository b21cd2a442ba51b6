// expected-error: "a name matches no layer of the model, or an earlier rule took all that it matches"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/adapt/plan.hpp"
#include "fmsb/nn/linear.hpp"

using namespace fmsb;

template <class Plan = adapt::none>
struct model : nn::composite<typename Plan::template child<"q", nn::linear<4, 4, nn::bias_term::no>>> {
  using plan = Plan;
  using plain = model<>;
};

#ifdef FAILS
using plan = adapt::plan<adapt::rule<adapt::names<"*">, adapt::lora<2>>,
                         adapt::rule<adapt::names<"q">, adapt::lora<4>>>;
#else
using plan = adapt::plan<adapt::rule<adapt::names<"q">, adapt::lora<4>>>;
#endif
nn::module<model<plan>> built{nullptr};
