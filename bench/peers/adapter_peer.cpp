// Our side of bench/peers/peft.py: the cost of adapted linear layers over their frozen base, on one thread.
//   adapter_peer <width> <tokens> <rounds>     prints JSON: milliseconds of forward and backward, one list a
//   layer
#include "fmsb/adapt/dora.hpp"        // dora
#include "fmsb/adapt/fourier_ft.hpp"  // fourier_ft
#include "fmsb/adapt/lora.hpp"        // lora
#include "fmsb/adapt/merge.hpp"       // merge
#include "fmsb/adapt/vera.hpp"        // vera
#include "fmsb/nn/linear.hpp"         // linear
#include "fmsb/nn/with.hpp"           // with

#include <chrono>      // std::chrono::steady_clock
#include <cstdio>      // std::printf, std::fprintf
#include <cstdlib>     // std::strtol
#include <functional>  // std::function
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

namespace {

using namespace fmsb;

template <index_t Width>
int measure(index_t tokens, int rounds) {
  using base = nn::linear<Width, Width>;
  torch::manual_seed(1);
  const auto x = torch::randn({tokens, Width}).requires_grad_(), gradient = torch::randn({tokens, Width});

  std::vector<std::pair<std::string, std::function<void()>>> layers;
  const auto add = [&](const std::string& name, auto module) {
    layers.emplace_back(name, [=]() mutable {
      x.mutable_grad() = tensor();
      for (const auto& p : module->parameters()) p.mutable_grad() = tensor();
      module->forward(x).backward(gradient);
    });
  };
  add("base", nn::module<nn::with<base, adapt::frozen>>());
  const nn::module<nn::with<base, adapt::lora<8>>> lora;
  add("LoRA r=8", lora);
  add("DoRA r=8", nn::module<nn::with<base, adapt::dora<8>>>());
  add("VeRA r=256", nn::module<nn::with<base, adapt::vera<256, {.max_in = Width, .max_out = Width}>>>());
  add("FourierFT n=100", nn::module<nn::with<base, adapt::fourier_ft<100>>>());
  add("FourierFT n=1000", nn::module<nn::with<base, adapt::fourier_ft<1000>>>());
  const auto merged = adapt::merge(lora);
  for (auto& p : merged->parameters()) p.requires_grad_(false);
  add("LoRA merged", merged);

  std::vector<std::vector<double>> times(layers.size());
  for (int round = -2; round < rounds; ++round)  // two to warm up
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto began = std::chrono::steady_clock::now();
      layers[i].second();
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
      if (round >= 0) times[i].push_back(took.count());
    }
  std::printf("{");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::printf("%s\"%s\": [", i == 0 ? "" : ", ", layers[i].first.c_str());
    for (std::size_t k = 0; k < times[i].size(); ++k) std::printf("%s%.5f", k == 0 ? "" : ", ", times[i][k]);
    std::printf("]");
  }
  std::printf("}\n");
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "adapter_peer: give a width (256, 768 or 1024), tokens and rounds.\n");
    return 2;
  }
  const auto number = [&](int i) { return std::strtol(words[i], nullptr, 10); };
  const index_t width = number(1), tokens = number(2);
  const int rounds = static_cast<int>(number(3));
  at::set_num_threads(1);
  if (tokens < 1 || rounds < 1)
    return std::fprintf(stderr, "adapter_peer: tokens and rounds count from 1.\n"), 2;
  if (width == 256) return measure<256>(tokens, rounds);
  if (width == 768) return measure<768>(tokens, rounds);
  if (width == 1024) return measure<1024>(tokens, rounds);
  std::fprintf(stderr, "adapter_peer: the width is 256, 768 or 1024, not %s.\n", words[1]);
  return 2;
}
