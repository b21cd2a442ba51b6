// What an epoch of a search costs: the wide residual network of the genomic tasks, 128 channels, on batches
// of 128 sequences of 300 letters. Ours, the same supernet with DASH's AggConv in its places, in the same
// loop, and the training of the plain backbone: the price of no search.
//
//   bench_dash_search                        some minutes
//   FMSB_BENCH_SIZE=small bench_dash_search  a narrow network, to see that it works
//
// All train in turns, a few steps each; ratios are medians of rounds. Epochs of all three have as many steps.
#include "fmsb/dash.hpp"                // search, wide_resnet_1d
#include "fmsb/report/table.hpp"        // table, fixed
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "drawn_letters.hpp"   // drawn_letters
#include "known_mixtures.hpp"  // agg_conv
#include "rounds.hpp"          // median, median_ratio

#include <ATen/Parallel.h>  // at::get_num_threads

#include <array>        // std::array
#include <cstdio>       // std::printf
#include <cstdlib>      // std::getenv
#include <functional>   // std::function
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::type_identity
#include <utility>      // std::pair
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using choices = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;

/// AggConv as a layer of a supernet: a weight for each point, coefficients by Gumbel-softmax. Channels alone
/// where there are as many outputs as inputs.
template <models::conv_slot S>
class agg_layer : public nn::layer {
 public:
  static constexpr index_t in_features = S.in, out_features = S.out;
  static constexpr index_t receptive_field = 11 * 7 - 6, multiply_adds = dynamic, parameter_count = dynamic;
  tensor alpha, bias;
  double temperature = 1;

  explicit agg_layer(nn::conv_extents = {}) {}
  void reset() override {
    alpha = register_parameter("alpha", torch::randn({choices::size}).mul_(1e-3));
    bias = register_parameter("bias", at::zeros({S.out}));
    for (std::size_t p = 0; p < choices::size; ++p)
      m_.weights.push_back(register_parameter(
          "weight" + std::to_string(p),
          torch::randn({S.out, m_.groups > 1 ? 1 : S.in, space::get<"kernel">(choices::at(p))}).mul_(0.01)));
  }
  tensor forward(const tensor& x) const {
    auto m = m_;
    const auto noise = at::empty_like(alpha).exponential_().log_().neg_();
    m.a = at::softmax((at::log_softmax(alpha, 0) + noise) / temperature, 0);
    return bench::agg_conv(m, x) + bias.view({1, S.out, 1});
  }
  std::string describe() const override { return "agg_conv(out=" + std::to_string(S.out) + ")"; }

 private:
  bench::mixture m_{.axes = 1,
                    .groups = S.in == S.out ? S.out : 1,
                    .kernels = {3, 5, 7, 9, 11},
                    .dilations = {1, 3, 5, 7},
                    .weights = {},
                    .a = {}};
};

struct agg_convolutions {
  using fill = agg_convolutions;
  using space_type = choices;
  template <models::conv_slot S>
  using layer = agg_layer<S>;
  template <models::conv_slot S>
  layer<S> make(nn::conv_extents given = {}) const {
    return layer<S>(given);
  }
  friend bool operator==(const agg_convolutions&, const agg_convolutions&) = default;
};

template <index_t Width>
void compare(std::size_t batch, std::size_t length, int rounds, std::size_t steps) {
  constexpr models::wide_resnet_1d_options options{.width = Width};
  using ours = models::wide_resnet_1d<options, dash::mixed<choices>>;
  using theirs = models::wide_resnet_1d<options, agg_convolutions{}>;
  const data::train_examples train(bench::drawn_letters(batch * steps, length));
  const data::validation_examples held(bench::drawn_letters(2, length));
  const auto rows = static_cast<index_t>(batch);
  const auto searched = [&]<class Supernet>(std::type_identity<Supernet>) {
    const auto past = dash::search<Supernet>(train, {.epochs = 1, .batch = rows, .share = 1}).training;
    return past.seconds / static_cast<double>(past.steps);
  };
  const std::vector<std::pair<const char*, std::function<double()>>> rivals{
      {"ours", [&] { return searched(std::type_identity<ours>()); }},
      {"AggConv", [&] { return searched(std::type_identity<theirs>()); }},
      {"plain backbone", [&] {
         nn::module<models::wide_resnet_1d<options>> net;
         const auto past = train::fit_classifier(net, train, held, {.epochs = 1, .batch = rows});
         return past.seconds / static_cast<double>(past.steps);
       }}};
  std::vector<std::vector<double>> took(rivals.size());
  for (int round = 0; round <= rounds; ++round)
    for (std::size_t i = 0; i < rivals.size(); ++i) {
      const double seconds = rivals[i].second();
      if (round > 0 || rounds == 0) took[i].push_back(seconds);  // the first one makes caches and plans
    }
  report::table table({"", "ms a step", "over ours", "aim"});
  const std::array aims{"", "at least 4", "at least .5"};
  for (std::size_t i = 0; i < rivals.size(); ++i)
    table.add({rivals[i].first, report::fixed(1e3 * bench::median(took[i]), 0),
               report::fixed(bench::median_ratio(took[i], took[0]), 2), aims[i]});
  std::printf("%d channels, %zu x 5 x %zu, %d threads, %d rounds of %zu steps\n%s", static_cast<int>(Width),
              batch, length, at::get_num_threads(), rounds, steps, table.text().c_str());
}

}  // namespace

int main() {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  train::keep_freed_memory();
  if (size != nullptr && std::string_view(size) == "small")
    compare<8>(4, 40, 0, 2);
  else
    compare<128>(128, 300, 3, 3);
}
