// What an adapted linear layer costs over its frozen base: forward and backward with the input's gradient and
// the adapter's, float, one thread.
//
//   bench_adapters                                   everything, about five minutes
//   bench_adapters --benchmark_filter=lora           some of it
//   bench_adapters --benchmark_filter=forms          FourierFT's choice of form beside both forms
//   FMSB_BENCH_SIZE=small bench_adapters             narrow layers, to see that it works
//
// An adapter, its base and its plain twin (the same adapter from stock operators, put together as Python's
// peft does) run in turns in every round, so that whatever else the machine does meets all three; the ratios
// are medians of rounds; for the choice of form, the smaller of that of medians and that of least times.
// Outputs and gradients are compared with the twin's before anything is timed.
#include "fmsb/adapt/beft.hpp"        // beft
#include "fmsb/adapt/dora.hpp"        // dora
#include "fmsb/adapt/fourier_ft.hpp"  // fourier_ft
#include "fmsb/adapt/lora.hpp"        // lora
#include "fmsb/adapt/merge.hpp"       // merge
#include "fmsb/adapt/vera.hpp"        // vera
#include "fmsb/core/isa.hpp"          // isa::name
#include "fmsb/core/version.hpp"      // version
#include "fmsb/nn/linear.hpp"         // linear
#include "fmsb/report/table.hpp"      // report::table

#include "aims.hpp"    // require
#include "rounds.hpp"  // seconds_of, median, median_ratio, least

#include <ATen/ops/fft_ifft2.h>            // at::fft_ifft2
#include <ATen/ops/index_put.h>            // at::index_put
#include <ATen/ops/linalg_vector_norm.h>   // at::linalg_vector_norm
#include <ATen/ops/randn.h>                // at::randn
#include <ATen/ops/real.h>                 // at::real
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad
#include <torch/optim/adamw.h>             // torch::optim::AdamW
#include <torch/version.h>                 // TORCH_VERSION

#include <benchmark/benchmark.h>

#include <algorithm>    // std::max, std::min, std::next_permutation
#include <array>        // std::array
#include <cstdio>       // std::printf
#include <cstdlib>      // std::getenv
#include <functional>   // std::function
#include <memory>       // std::shared_ptr
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using adapt::fourier_form;

// ---- Plain twins, as peft composes them

tensor plain_lora(const tensor& weight, const tensor& bias, const tensor& a, const tensor& b, double scale,
                  const tensor& x) {
  return at::linear(x, weight, bias) + at::linear(at::linear(x, a), b) * scale;
}

/// The weight of the branch is formed through an identity matrix, and its norm with W in every call.
tensor plain_dora(const tensor& weight, const tensor& bias, const tensor& a, const tensor& b,
                  const tensor& magnitude, double scale, const tensor& x) {
  const auto delta = at::linear(at::linear(at::eye(weight.size(1), weight.options()), a), b).t();
  const auto norm = at::linalg_vector_norm(weight + scale * delta.detach(), 2, at::IntArrayRef{1}).detach();
  const auto share = (magnitude / norm).view({1, -1});
  const auto base = at::linear(x, weight, bias);
  return base + (share - 1) * (base - bias) + share * at::linear(at::linear(x, a), b) * scale;
}

tensor plain_vera(const tensor& weight, const tensor& bias, const tensor& a, const tensor& b,
                  const tensor& lambda_b, const tensor& lambda_d, const tensor& x) {
  return at::linear(x, weight, bias) + lambda_b * at::linear(lambda_d * at::linear(x, a), b);
}

/// dW by a complex transform of all of F in every call, and a product of its own.
tensor plain_fourier(const tensor& weight, const tensor& bias, const tensor& c, const tensor& rows,
                     const tensor& columns, double scaling, const tensor& x) {
  const auto f = at::index_put(at::zeros_like(weight), {rows, columns}, c);
  return at::linear(x, weight, bias) + at::linear(x, at::real(at::fft_ifft2(f)) * scaling);
}

// ---- How they are timed

using bench::median, bench::seconds_of, bench::step;

struct measured {
  std::string name;
  double base = 0, ours = 0, twin = 0;  ///< milliseconds
  double ratio = 0;                     ///< ours over the base, or over the better of base and twin
  double twin_ratio = 0;                ///< the twin over the base
  double aim = 0;
};
std::vector<measured> results;

int rounds_wanted = 30;  ///< a multiple of the six orders

struct contest {
  std::string name;
  double aim = 0;  ///< ours over the base, at most; 0: none
  step base, ours, twin;
  step compare;              ///< ends the program where ours is not the twin's
  bool over_better = false;  ///< base and twin are two ways of which ours should take the better one
  int rounds = rounds_wanted;
};

/// Rounds of all three, each round in another order and each after a pass that is not timed: a pass finds the
/// caches and the free memory as the one before left them.
measured measure(const contest& c) {
  c.compare();
  const std::array<const step*, 3> works{&c.base, &c.ours, &c.twin};
  std::array<std::vector<double>, 3> took;
  std::array<int, 3> times{}, order{0, 1, 2};
  for (std::size_t i = 0; i < 3; ++i) {
    (*works[i])();
    times[i] = std::max(1, static_cast<int>(2e-3 / seconds_of(*works[i], 1)));
  }
  for (int round = 0; round < c.rounds; ++round) {
    for (const auto turn : order) {
      const auto i = static_cast<std::size_t>(turn);
      (*works[i])();
      took[i].push_back(seconds_of(*works[i], times[i]));
    }
    std::next_permutation(order.begin(), order.end());
  }
  const auto over = [&](std::size_t one, std::size_t other) {
    return bench::median_ratio(took[one], took[other]);
  };
  // Ours is one of two known ways then, and the worst of many sizes is looked at. Medians of equal things
  // differ by more than what is looked for, and so do their least times where one had a lucky round; a way
  // that is slower shows in both.
  const auto least = [&](std::size_t one) { return bench::least(took[one]); };
  const auto better = [&](const auto& of) { return of(1) / std::min(of(0), of(2)); };
  const double ratio =
      c.over_better ? std::min(better(least), better([&](std::size_t one) { return median(took[one]); }))
                    : over(1, 0);
  return {c.name, median(took[0]) * 1e3, median(took[1]) * 1e3, median(took[2]) * 1e3, ratio, over(2, 0),
          c.aim};
}

void add(contest c) {
  benchmark::RegisterBenchmark(c.name.c_str(),
                               [c](benchmark::State& state) {
                                 measured m;
                                 for (auto _ : state) {
                                   m = measure(c);
                                   state.SetIterationTime(m.ours / 1e3);
                                 }
                                 state.counters["base_ms"] = m.base;
                                 state.counters["plain_ms"] = m.twin;
                                 state.counters["ratio"] = m.ratio;
                                 state.counters["plain_ratio"] = m.twin_ratio;
                                 if (c.aim > 0) state.counters["aim_ratio"] = c.aim;
                                 results.push_back(std::move(m));
                               })
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

template <class Layer>
nn::module<Layer> drawn() {
  nn::module<Layer> m;
  const torch::NoGradGuard no_gradient;
  for (auto& p : m->parameters())
    if (p.requires_grad()) p.add_(at::randn_like(p) * 0.05);
  return m;
}

template <class Layer>
step pass_of(const std::shared_ptr<nn::concrete<Layer>>& m, const tensor& x, const tensor& gy,
             std::function<tensor(const tensor&)> forward) {
  std::vector<tensor> leaves{x};
  for (auto& p : m->parameters())
    if (p.requires_grad()) leaves.push_back(p);
  return [=] {
    for (auto& leaf : leaves) leaf.mutable_grad() = tensor();
    forward(x).backward(gy);
  };
}

/// Outputs and all gradients, relative to the largest number of each.
template <class Layer>
void require_same(const std::string& name, const std::shared_ptr<nn::concrete<Layer>>& m, const tensor& x,
                  const tensor& gy, const std::function<tensor(const tensor&)>& twin) {
  std::vector<tensor> leaves{x};
  for (auto& p : m->parameters())
    if (p.requires_grad()) leaves.push_back(p);
  const auto ours = m->forward(x), plain = twin(x);
  auto a = torch::autograd::grad({ours}, leaves, {gy}), b = torch::autograd::grad({plain}, leaves, {gy});
  a.push_back(ours.detach());
  b.push_back(plain.detach());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double size = b[i].abs().max().template item<double>();
    const double apart = (a[i] - b[i]).abs().max().template item<double>();
    bench::require(apart <= 1e-4 * std::max(size, 1e-3),
                   name + ": " + (i + 1 == a.size() ? "outputs" : "gradient " + std::to_string(i)) +
                       " differ by " + std::to_string(apart) + " from the plain twin's, whose largest is " +
                       std::to_string(size) + ".");
  }
}

/// @param twin  (module, input) -> output by stock operators
template <class Layer, class Twin>
void add_layer(const std::string& adapter, index_t tokens, double aim, Twin twin) {
  using base_layer = nn::with<nn::plain_of<Layer>, adapt::frozen>;
  const auto m = drawn<Layer>().ptr();  // a handle that is const has a const layer, and forward is not const
  const auto base = nn::module<base_layer>().ptr();
  const index_t in = m->weight.size(1), out = m->weight.size(0);
  const auto x = at::randn({tokens, in}).requires_grad_(), gy = at::randn({tokens, out});
  const std::string name = adapter + "/d=" + std::to_string(in) + "/tokens=" + std::to_string(tokens);
  const std::function<tensor(const tensor&)> by_twin = [=](const tensor& v) { return twin(*m, v); };
  add({.name = name,
       .aim = aim,
       .base = pass_of(base, x, gy, [=](const tensor& v) { return base->forward(v); }),
       .ours = pass_of(m, x, gy, [=](const tensor& v) { return m->forward(v); }),
       .twin = pass_of(m, x, gy, by_twin),
       .compare = [=] { require_same(name, m, x, gy, by_twin); }});
}

template <index_t D, index_t N, fourier_form Form = fourier_form::automatic>
void add_fourier(const std::string& name, index_t tokens, double aim) {
  constexpr adapt::fourier_ft_options options{.form = Form};
  const auto places = adapt::first_of_permutation(D * D, N, options.seed);
  const auto flat = at::from_blob(const_cast<index_t*>(places.data()), {N}, at::kLong).clone();
  const auto rows = flat.div(D, "floor"), columns = flat.remainder(D);
  add_layer<nn::with<nn::linear<D, D>, adapt::fourier_ft<N, options>>>(
      name, tokens, aim, [=](const auto& m, const tensor& x) {
        return plain_fourier(m.weight, m.bias, m.fourierft_spectrum, rows, columns, options.scaling, x);
      });
}

/// The form that FourierFT takes by itself beside both forms. Extents are dynamic here: the choice is made by
/// the same formula, and three types serve all sizes.
template <index_t N>
void add_forms(index_t out, index_t in, index_t tokens) {
  const auto formed = [&]<fourier_form Form>() {
    using layer = nn::with<nn::linear<>, adapt::fourier_ft<N, adapt::fourier_ft_options{.form = Form}>>;
    return nn::module<layer>(nn::linear_extents{.in = in, .out = out}).ptr();
  };
  const auto ours = formed.template operator()<fourier_form::automatic>();
  const auto factored = formed.template operator()<fourier_form::factored>();
  const auto dense = formed.template operator()<fourier_form::dense>();
  const auto x = at::randn({tokens, in}).requires_grad_(), gy = at::randn({tokens, out});
  const auto pass = [&](const auto& m) {
    return pass_of(m, x, gy, [=](const tensor& v) { return m->forward(v); });
  };
  {
    const torch::NoGradGuard no_gradient;
    const auto same_numbers = [&](const auto& m) {
      const auto from = ours->parameters(), to = m->parameters();
      for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
    };
    same_numbers(factored);
    same_numbers(dense);
  }
  const auto name = "fourier_ft forms, n=" + std::to_string(N) + "/" + std::to_string(in) + " to " +
                    std::to_string(out) + "/tokens=" + std::to_string(tokens);
  add({.name = name,
       .aim = 1.05,
       .base = pass(factored),
       .ours = pass(ours),
       .twin = pass(dense),
       .compare =
           [=] {
             for (const auto& other : {factored->forward(x), dense->forward(x)})
               bench::require(at::allclose(ours->forward(x), other, 1e-4, 1e-4),
                              name + ": the forms differ.");
           },
       .over_better = true,
       .rounds = tokens <= 64 ? rounds_wanted : std::min(rounds_wanted, 12)});
}

template <index_t D>
void add_width(index_t tokens, bool aimed) {
  using layer = nn::linear<D, D>;
  const bool many = tokens >= 1024;
  const auto aim = [&](double at_many, double at_few) { return !aimed ? 0 : many ? at_many : at_few; };

  using lora = adapt::lora<8>;
  add_layer<nn::with<layer, lora>>("lora, r=8", tokens, aim(1.15, 1.25), [](const auto& m, const tensor& x) {
    return plain_lora(m.weight, m.bias, m.lora_A, m.lora_B, lora::scale(), x);
  });
  using dora = adapt::dora<8>;
  add_layer<nn::with<layer, dora>>("dora, r=8", tokens, aim(1.4, 1.6), [](const auto& m, const tensor& x) {
    return plain_dora(m.weight, m.bias, m.lora_A, m.lora_B, m.lora_magnitude_vector, dora::scale(), x);
  });
  constexpr index_t rank = D < 256 ? 16 : 256;
  // Its flop floor: four products of the rank beside two of the width; and a tenth.
  const double floor = 1 + 4.0 * rank / (2.0 * D);
  add_layer<nn::with<layer, adapt::vera<rank>>>(
      "vera, r=" + std::to_string(rank), tokens, aimed ? 1.1 * floor : 0, [](const auto& m, const tensor& x) {
        return plain_vera(m.weight, m.bias, m.shared_A(), m.shared_B(), m.vera_lambda_b, m.vera_lambda_d, x);
      });
  add_fourier<D, 100>("fourier_ft, n=100", tokens, aim(1.6, 1.6));
  add_fourier<D, 100, fourier_form::factored>("fourier_ft, n=100, factored", tokens, 0);
  add_fourier<D, 100, fourier_form::dense>("fourier_ft, n=100, dense", tokens, 0);
  add_fourier<D, 1000>("fourier_ft, n=1000", tokens, 0);
  add_fourier<D, 1000, fourier_form::factored>("fourier_ft, n=1000, factored", tokens, 0);
  add_fourier<D, 1000, fourier_form::dense>("fourier_ft, n=1000, dense", tokens, 0);

  // Merged, an adapter is gone: the layer is the base, with other numbers.
  const auto adapted = drawn<nn::with<layer, lora>>().ptr();
  const auto merged = adapt::merge(nn::module<nn::with<layer, lora>>(adapted)).ptr();
  const auto base = nn::module<nn::with<layer, adapt::frozen>>().ptr();
  for (auto& p : merged->parameters()) p.requires_grad_(false);
  const auto x = at::randn({tokens, D}).requires_grad_(), gy = at::randn({tokens, D});
  const auto by_merged = [=](const tensor& v) { return merged->forward(v); };
  const auto name = "merged/d=" + std::to_string(D) + "/tokens=" + std::to_string(tokens);
  add({.name = name,
       .aim = aimed ? 1.02 : 0,
       .base = pass_of(base, x, gy, [=](const tensor& v) { return base->forward(v); }),
       .ours = pass_of(merged, x, gy, by_merged),
       .twin = pass_of(merged, x, gy, by_merged),
       .compare = [=] {
         require_same(name, merged, x, gy, [=](const tensor& v) { return adapted->forward(v); });
       }});
}

/// Memory of the first training step beyond the model's own: gradients, Adam's moments and what a few tokens
/// leave behind. Eight layers in a row, in a process of its own.
template <class Layer>
void add_memory(const std::string& adapter, int layers) {
  const auto name = "memory/" + adapter;
  const auto train = [](const std::vector<nn::module<Layer>>& all) {
    std::vector<tensor> trained;
    for (const auto& m : all)
      for (const auto& p : m->parameters())
        if (p.requires_grad()) trained.push_back(p);
    torch::optim::AdamW adam(trained, torch::optim::AdamWOptions(1e-3));
    auto y = at::randn({4, all.front()->weight.size(1)});
    for (const auto& m : all) y = m.ptr()->forward(y);
    y.square().mean().backward();
    adam.step();
    return adam;
  };
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 double model = 0, trained = 0, peak = 0;
                                 for (auto _ : state) {
                                   const std::vector<nn::module<Layer>> few(1), all = [&] {
                                     std::vector<nn::module<Layer>> made;
                                     for (int i = 0; i < layers; ++i) made.emplace_back();
                                     return made;
                                   }();
                                   for (const auto& p : all.front()->parameters())
                                     (p.requires_grad() ? trained : model) +=
                                         4e-6 * static_cast<double>(p.numel() * layers);
                                   peak = bench::peak_megabytes([&] { train(few); }, [&] { train(all); });
                                 }
                                 state.counters["frozen_MB"] = model;
                                 state.counters["trained_MB"] = trained;
                                 state.counters["peak_MB"] = peak;
                               })
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

template <index_t D>
void add_all_memory(int layers) {
  using layer = nn::linear<D, D>;
  add_memory<layer>("everything", layers);
  add_memory<nn::with<layer, adapt::lora<8>>>("lora, r=8", layers);
  add_memory<nn::with<layer, adapt::dora<8>>>("dora, r=8", layers);
  add_memory<nn::with<layer, adapt::fourier_ft<100>>>("fourier_ft, n=100", layers);
  add_memory<nn::with<layer, adapt::beft>>("beft", layers);
}

void print_results() {
  report::table table({"case", "base ms", "ms", "ratio", "aim", "plain ms", "plain ratio"});
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return value > 0 ? std::string(text) : std::string();
  };
  for (const auto& m : results)
    table.add({m.name, number(m.base), number(m.ours), number(m.ratio), number(m.aim), number(m.twin),
               number(m.twin_ratio)});
  std::printf("\n%s", table.text().c_str());
  for (const auto& m : results)
    if (m.aim > 0 && m.ratio > m.aim)
      std::printf("missed: %s is at %s, the aim is %s\n", m.name.c_str(), number(m.ratio).c_str(),
                  number(m.aim).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  const bool is_small = size != nullptr && std::string_view(size) == "small";
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  at::set_num_threads(1);
  torch::manual_seed(1);
  benchmark::AddCustomContext("fmsb", std::string(version));
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("LibTorch", TORCH_VERSION);
  benchmark::AddCustomContext("threads", std::to_string(at::get_num_threads()));
  benchmark::AddCustomContext("instruction set", isa::name(isa::current()));
  try {
    const auto add_all_forms = [](index_t out, index_t in, index_t tokens) {
      add_forms<10>(out, in, tokens);
      add_forms<100>(out, in, tokens);
      add_forms<1000>(out, in, tokens);
    };
    if (is_small) {
      rounds_wanted = 6;
      add_width<48>(16, false);
      add_all_forms(48, 48, 16);
      add_all_memory<48>(2);
    } else {
      for (const index_t tokens : {1024, 64}) {
        add_width<256>(tokens, false);
        add_width<768>(tokens, true);
        add_width<1024>(tokens, true);
      }
      constexpr std::pair<index_t, index_t> shapes[] = {{128, 128},   {256, 256},  {768, 768},
                                                        {1024, 1024}, {256, 1024}, {4096, 1024}};
      for (const auto& [out, in] : shapes)
        for (const index_t tokens : {1, 16, 64, 256, 1024}) add_all_forms(out, in, tokens);
      add_all_memory<1024>(8);
    }
    benchmark::RunSpecifiedBenchmarks();
    print_results();
  } catch (const fmsb::error& e) {
    std::fprintf(stderr, "bench_adapters: %s\n", e.what());
    return 3;
  }
}
