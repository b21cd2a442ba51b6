// What a mixed convolution costs, forward and backward through autograd with the gradients of the input, of
// every weight and of the coefficients, beside the known ways to compute one and beside single convolutions:
// float, on one and on two threads.
//
//   bench_mixed_conv                                  everything, about ten minutes
//   bench_mixed_conv --benchmark_filter=depthwise     some of it
//   FMSB_BENCH_SIZE=small bench_mixed_conv            small shapes, to see that it works
//
// All run in turns in every round, in an order that moves on by one each round; ratios are medians of rounds.
// Outputs and gradients are compared before anything is timed. Freed memory is kept, for all of them, as our
// programs keep it: else most of the time at large shapes is that of fresh pages.
#include "fmsb/nn/mixed_conv.hpp"  // mixed_conv

#include "fmsb/core/isa.hpp"            // isa::name
#include "fmsb/core/version.hpp"        // version
#include "fmsb/nn/module.hpp"           // module
#include "fmsb/report/table.hpp"        // report::table
#include "fmsb/space/product.hpp"       // product
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "aims.hpp"            // require
#include "known_mixtures.hpp"  // mixture, agg_conv, mixed_results, mixed_weights, per_dilation
#include "rounds.hpp"          // seconds_of, median, median_ratio

#include <ATen/Parallel.h>                 // at::set_num_threads
#include <ATen/ops/empty_like.h>           // at::empty_like
#include <ATen/ops/mm.h>                   // at::mm_out
#include <ATen/ops/ones.h>                 // at::ones
#include <ATen/ops/randn.h>                // at::randn
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad
#include <torch/version.h>                 // TORCH_VERSION

#include <benchmark/benchmark.h>

#include <algorithm>    // std::max, std::min, std::rotate
#include <cstdio>       // std::printf
#include <cstdlib>      // std::getenv
#include <functional>   // std::function
#include <memory>       // std::shared_ptr
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::integer_sequence, std::move
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using bench::mixture, bench::agg_conv, bench::convolved, bench::mixed_results, bench::mixed_weights,
    bench::per_dilation;
using bench::step;

// ---- How they are timed

struct rival {
  std::string name;
  step pass;
};

struct contest {
  std::string name;
  std::vector<rival> rivals;  ///< the first is ours
  std::function<void()> compare;
};

struct measured {
  std::string name;
  int threads;
  std::vector<std::string> rivals;
  std::vector<double> milliseconds, ratios;  ///< each over ours
};
std::vector<measured> results;
bool small = false;

measured measure(const contest& c, int threads) {
  at::set_num_threads(threads);
  const std::size_t count = c.rivals.size();
  std::vector<std::vector<double>> took(count);
  std::vector<int> times(count);
  double round_seconds = 0;
  for (std::size_t i = 0; i < count; ++i) {
    c.rivals[i].pass();
    const double once = bench::seconds_of(c.rivals[i].pass, 1, threads);
    times[i] = std::max(1, static_cast<int>(5e-3 / once));
    round_seconds += 2 * std::max(once, 5e-3);
  }
  const int rounds = small ? 1 : std::max(5, std::min(30, static_cast<int>(20 / round_seconds)));
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  for (int round = 0; round < rounds; ++round) {
    for (const auto i : order) {
      c.rivals[i].pass();  // finds the caches and the free memory as the one before left them
      took[i].push_back(bench::seconds_of(c.rivals[i].pass, times[i], threads));
    }
    std::rotate(order.begin(), order.begin() + 1, order.end());
  }
  at::set_num_threads(1);
  measured m{.name = c.name, .threads = threads, .rivals = {}, .milliseconds = {}, .ratios = {}};
  for (std::size_t i = 0; i < count; ++i) {
    m.rivals.push_back(c.rivals[i].name);
    m.milliseconds.push_back(bench::median(took[i]) * 1e3);
    m.ratios.push_back(bench::median_ratio(took[i], took[0]));
  }
  return m;
}

step pass_of(std::vector<tensor> leaves, std::function<tensor()> forward, const tensor& gy) {
  return [=] { torch::autograd::grad({forward()}, leaves, {gy}); };
}

bool close(const tensor& x, const tensor& y) {
  return (x - y).abs().max().item<double>() <= 2e-5 * std::max(y.abs().max().item<double>(), 1e-3);
}

template <int Axes, class Space, index_t C, nn::mixed_conv_options Options>
void add_case(const std::string& name, std::vector<index_t> sizes, std::vector<index_t> kernels,
              std::vector<index_t> dilations, int most_threads = 2) {
  const auto make = [=] {
    using layer = nn::mixed_conv<Axes, Space, C, C, Options>;
    contest c{.name = name, .rivals = {}, .compare = {}};
    auto ours = nn::module<layer>().ptr();
    const auto x = at::randn(sizes).requires_grad_(), gy = at::randn(sizes);
    auto m = std::make_shared<mixture>();
    m->axes = Axes;
    m->groups = ours->groups();
    m->kernels = kernels;
    m->dilations = dilations;
    m->a = at::randn({layer::points}).softmax(0).requires_grad_();
    for (std::size_t p = 0; p < Space::size; ++p)
      m->weights.push_back(ours->weight_of(p).detach().contiguous().requires_grad_());
    std::vector<tensor> leaves = m->weights;
    leaves.push_back(x);
    leaves.push_back(m->a);
    const auto add = [&](const std::string& what, tensor (*way)(const mixture&, const tensor&)) {
      c.rivals.push_back({what, pass_of(
                                    leaves, [=] { return way(*m, x); }, gy)});
    };
    const auto forward = [=] { return ours->forward(x, m->a); };
    c.rivals.push_back({"ours", pass_of({ours->weight, x, m->a}, forward, gy)});
    add("AggConv", agg_conv);
    add("per dilation", per_dilation);
    if (C * sizes[0] * sizes.back() <= 1 << 21 || Options.groups == nn::depthwise) {  // else minutes a pass
      add("mixed results", mixed_results);
      add("mixed weights", mixed_weights);
    }
    for (const index_t k : {kernels.back(), index_t{3}}) {
      std::vector<index_t> shape{C, C / m->groups};
      shape.insert(shape.end(), Axes, k);
      const auto weight = at::randn(shape).mul_(0.01).requires_grad_();
      c.rivals.push_back({k == 3 ? "conv k=3" : "conv k max",
                          pass_of(
                              {weight, x}, [=] { return convolved(*m, x, weight, 1); }, gy)});
    }
    c.compare = [=] {
      const auto y = forward(), z = agg_conv(*m, x);
      const auto found = torch::autograd::grad({y}, {x, m->a, ours->weight}, {gy});
      const auto wanted = torch::autograd::grad({z}, leaves, {gy});
      bench::require(close(y.detach(), z.detach()), name + ": outputs differ from AggConv's.");
      bench::require(close(found[0], wanted[Space::size]) && close(found[1], wanted[Space::size + 1]),
                     name + ": gradients of input or coefficients differ from AggConv's.");
      for (std::size_t p = 0; p < Space::size; ++p)
        bench::require(close(layer::part_of(found[2], p), wanted[p]),
                       name + ": the gradient of a weight differs from AggConv's.");
    };
    return c;
  };
  benchmark::RegisterBenchmark(
      name.c_str(),
      [make, most_threads, shared = std::make_shared<contest>()](benchmark::State& state) {
        const int threads = static_cast<int>(state.range(0));
        if (shared->name.empty()) {
          *shared = make();
          shared->compare();
        }
        measured m;
        for (auto _ : state) {
          m = measure(*shared, threads);
          state.SetIterationTime(m.milliseconds[0] / 1e3);
        }
        for (std::size_t i = 0; i < m.rivals.size(); ++i) {
          state.counters[m.rivals[i] + ", ms"] = m.milliseconds[i];
          state.counters[m.rivals[i] + ", ratio"] = m.ratios[i];
        }
        results.push_back(std::move(m));
        if (threads == most_threads) *shared = {};  // what it holds is large
      })
      ->ArgName("threads")
      ->DenseRange(1, most_threads)
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

template <nn::mixed_conv_options Options>
void add_shapes(const std::string& kind) {
  using a_space = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
  using b_space = space::product<space::kernel_sizes<3, 7, 11, 15, 19>, space::dilations<1, 3, 7, 15>>;
  using c_space = space::product<space::kernel_sizes<3, 5, 7, 9>, space::dilations<1, 3, 5, 7>>;
  if (small) {
    add_case<1, a_space, 8, Options>("A " + kind, {2, 8, 100}, {3, 5, 7, 9, 11}, {1, 3, 5, 7});
    add_case<2, c_space, 4, Options>("C " + kind, {2, 4, 12, 12}, {3, 5, 7, 9}, {1, 3, 5, 7});
    return;
  }
  add_case<1, a_space, 64, Options>("A " + kind, {32, 64, 512}, {3, 5, 7, 9, 11}, {1, 3, 5, 7});
  add_case<1, b_space, 64, Options>("B " + kind, {16, 64, 1000}, {3, 7, 11, 15, 19}, {1, 3, 7, 15});
  add_case<2, c_space, 32, Options>("C " + kind, {16, 32, 32, 32}, {3, 5, 7, 9}, {1, 3, 5, 7});
  add_case<1, a_space, 128, Options>("D " + kind, {64, 128, 1024}, {3, 5, 7, 9, 11}, {1, 3, 5, 7});
}

template <index_t... N>
using numbers = std::integer_sequence<index_t, N...>;

/// The first kernel sizes and dilations of 4 x 7, on rows of 784 numbers: DASH's own test of speed was on
/// MNIST.
template <index_t... K, index_t... D>
void add_growth(numbers<K...>, numbers<D...>) {
  using space = space::product<space::kernel_sizes<K...>, space::dilations<D...>>;
  add_case<1, space, 16, {.coefficients = nn::mixing::given, .bias = nn::bias_term::no}>(
      "growth " + std::to_string(sizeof...(K)) + "x" + std::to_string(sizeof...(D)), {32, 16, 784}, {K...},
      {D...}, 1);
}

void add_growths() {
  add_growth(numbers<3>(), numbers<1>());
  add_growth(numbers<3, 5>(), numbers<1, 3>());
  add_growth(numbers<3, 5, 7>(), numbers<1, 3, 7>());
  add_growth(numbers<3, 5, 7, 9>(), numbers<1, 3, 7, 15>());
  add_growth(numbers<3, 5, 7, 9>(), numbers<1, 3, 7, 15, 31>());
  add_growth(numbers<3, 5, 7, 9>(), numbers<1, 3, 7, 15, 31, 63>());
  add_growth(numbers<3, 5, 7, 9>(), numbers<1, 3, 7, 15, 31, 63, 127>());
}

/// What the machine can do on one thread, for a roofline.
void add_peaks() {
  const auto best = [](const step& pass) {
    double least = bench::seconds_of(pass, 1);
    for (int i = 0; i < 20; ++i) least = std::min(least, bench::seconds_of(pass, 1));
    return least;
  };
  benchmark::RegisterBenchmark("peak", [best](benchmark::State& state) {
    const index_t n = small ? 64 : 1024;
    const auto a = at::randn({n, n}), b = at::randn({n, n});
    auto c = at::empty({n, n});
    const auto from = at::ones({small ? 1000 : 64 << 20});
    auto to = at::empty_like(from);
    for (auto _ : state) {
      state.counters["product GF/s"] =
          2e-9 * static_cast<double>(n * n * n) / best([&] { at::mm_out(c, a, b); });
      state.counters["copy GB/s"] = 8e-9 * static_cast<double>(from.numel()) / best([&] { to.copy_(from); });
    }
  })->Iterations(1);
}

void print_results() {
  fmsb::report::table table({"case", "threads", "method", "ms", "over ours"});
  const auto text = [](double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, value >= 100 ? "%.0f" : "%.3g", value);
    return std::string(digits);
  };
  for (const auto& m : results)
    for (std::size_t i = 0; i < m.rivals.size(); ++i)
      table.add({i == 0 ? m.name : "", i == 0 ? std::to_string(m.threads) : "", m.rivals[i],
                 text(m.milliseconds[i]), text(m.ratios[i])});
  std::fputs(("\n" + table.text()).c_str(), stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  small = size != nullptr && std::string_view(size) == "small";
  train::keep_freed_memory();
  at::set_num_threads(1);
  benchmark::AddCustomContext("fmsb", std::string(version));
  benchmark::AddCustomContext("LibTorch", TORCH_VERSION);
  benchmark::AddCustomContext("instruction set", isa::name(isa::current()));
  add_shapes<{.groups = nn::depthwise, .coefficients = nn::mixing::given, .bias = nn::bias_term::no}>(
      "depthwise");
  add_shapes<{.coefficients = nn::mixing::given, .bias = nn::bias_term::no}>("dense");
  if (!small) add_growths();
  add_peaks();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  print_results();
  benchmark::Shutdown();
}
