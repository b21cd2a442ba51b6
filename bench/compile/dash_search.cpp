// One backbone and the whole search: supernet, training, what was found as a network of points at run time.
#include "fmsb/models/wide_resnet_1d.hpp"
#include "fmsb/search/dash/mixed.hpp"
#include "fmsb/search/dash/search.hpp"
#include "fmsb/space/product.hpp"
#include "fmsb/train/classifier.hpp"

using namespace fmsb;
using choices = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
constexpr models::wide_resnet_1d_options options{.width = 64};
using supernet = models::wide_resnet_1d<options, dash::mixed<choices>>;

double search_and_train(const data::train_examples& train, const data::validation_examples& validation) {
  const auto found = dash::search<supernet>(train, validation);
  auto network = found.instantiate();
  return train::fit_classifier(network, train, validation).best->score;
}
