// One linear layer under every adapter that it takes, each a module of its own, as a search over adapters has
// them.
#include "fmsb/adapt/ada_lora.hpp"
#include "fmsb/adapt/adapted.hpp"
#include "fmsb/adapt/beft.hpp"
#include "fmsb/adapt/bitfit.hpp"
#include "fmsb/adapt/dora.hpp"
#include "fmsb/adapt/fourier_ft.hpp"
#include "fmsb/adapt/ia3.hpp"
#include "fmsb/adapt/lora.hpp"
#include "fmsb/adapt/merge.hpp"
#include "fmsb/adapt/vera.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/module.hpp"
#include "fmsb/nn/with.hpp"

namespace {

using namespace fmsb;
using layer = nn::linear<768, 768>;

template <class... Adapters>
tensor pass(const tensor& x) {
  nn::module<nn::with<layer, Adapters...>> adapted;
  return adapt::merge(adapted)->forward(adapted->forward(x));
}

}  // namespace

tensor through_all(const tensor& x) {
  return pass<adapt::lora<8>>(x) + pass<adapt::dora<8>>(x) + pass<adapt::vera<256>>(x) +
         pass<adapt::fourier_ft<100>>(x) + pass<adapt::ada_lora<12>>(x) + pass<adapt::ia3<>>(x) +
         pass<adapt::bitfit>(x) + pass<adapt::beft>(x) + pass<adapt::full>(x);
}
