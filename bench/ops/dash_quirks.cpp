// What the quirks of the network released with DASH cost or bring: the network that a search found is trained
// as it is, with each quirk alone and with all of them, and scored on the test part.
//
//   bench_dash_quirks SPLICE SEED POINT,POINT,...
//   FMSB_BENCH_SIZE=small bench_dash_quirks        a few drawn sequences, to see that it works
//
// SPLICE is the UCI splice file, divided by SEED as `dash --split-seed` does; the points are the nine indices
// at search.found.indices of dash's report.json. Prints JSON: accuracy on the test part and seconds of each
// network. `bench/results/dash` makes a table of it.
#include "fmsb/dash.hpp"                // wide_resnet_1d, points_at_run_time
#include "fmsb/data/one_hot.hpp"        // one_hot
#include "fmsb/data/splice.hpp"         // read_splice
#include "fmsb/report/json.hpp"         // json
#include "fmsb/train/classifier.hpp"    // fit_classifier
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "drawn_letters.hpp"  // drawn_letters

#include <cstdio>       // std::puts, std::fputs
#include <cstdlib>      // std::getenv
#include <exception>    // std::exception
#include <sstream>      // std::istringstream
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using choices = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;

constexpr models::wide_resnet_1d_options ours{.in = dynamic, .classes = dynamic, .width = 16};
constexpr auto with = [](auto change) {
  auto of = ours;
  change(of);
  return of;
};
constexpr auto causal = with([](auto& of) { of.align = models::alignment::causal; });
constexpr auto no_way = with([](auto& of) { of.identity = models::shortcuts::where_channels_change; });
constexpr auto mean = with([](auto& of) { of.segments = 0; });

struct task {
  data::train_examples train;
  data::validation_examples validation;
  data::test_examples test;
  std::uint64_t epochs, seed;
};

/// Shares of .7, .1 and .2, drawn as the program `dash` draws them.
task divided(const data::labelled_set& all, std::uint64_t epochs, std::uint64_t seed) {
  const auto [most, test] = data::hold_out(data::train_examples(all), .2, seed);
  const auto [train, validation] = data::hold_out(most, .1 / .8, seed + 1);
  return {train, validation, data::test_examples(test.members()), epochs, seed};
}

template <models::wide_resnet_1d_options C>
report::json trained(const std::string& name, const task& of, const std::vector<std::size_t>& points) {
  using network = models::wide_resnet_1d<C, models::points_at_run_time<choices>>;
  train::classifier_options options;
  options.epochs = of.epochs;
  options.seed = of.seed;
  torch::manual_seed(of.seed);
  nn::module<network> net(points, models::settings_for(of.train.members()));
  const auto history = train::fit_classifier(net, of.train, of.validation, options);
  const auto held = train::tensors_of(of.test);
  const tensor right = train::outputs_of(net, held.x).argmax(1).eq(held.y);
  const double accuracy = right.to(at::kDouble).mean().item<double>();
  return {{"name", name}, {"accuracy", accuracy}, {"seconds", history.seconds}};
}

report::json all_of(const task& of, const std::vector<std::size_t>& points) {
  auto all = report::json::array();
  all.push_back(trained<ours>("as it is", of, points));
  all.push_back(trained<causal>("causal convolutions", of, points));
  all.push_back(trained<no_way>("no way around the third block", of, points));
  all.push_back(trained<mean>("mean over all positions", of, points));
  all.push_back(trained<models::released(ours)>("released: all three", of, points));
  return all;
}

std::vector<std::size_t> points_of(const std::string& text) {
  std::vector<std::size_t> all;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) all.push_back(std::stoul(word));
  return all;
}

}  // namespace

int main(int count, char** words) try {
  train::keep_freed_memory();
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  const bool small = size != nullptr && std::string_view(size) == "small";
  if (!small && count != 4) {
    std::fputs("usage: bench_dash_quirks SPLICE SEED POINT,POINT,...\n", stderr);
    return 2;
  }
  const auto of = small ? divided(bench::drawn_letters(120, 60), 1, 1)
                        : divided(data::one_hot(data::read_splice(words[1])), 30, std::stoull(words[2]));
  const auto results = all_of(of, small ? std::vector<std::size_t>(9, 1) : points_of(words[3]));
  std::puts(report::to_text(results).c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_dash_quirks: %s\n", error.what());
  return 1;
}
