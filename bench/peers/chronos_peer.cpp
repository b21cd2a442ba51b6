// Our side of bench/peers/chronos.py, on one thread, of the model of a Hugging Face folder.
//   chronos_peer logits <folder>                      the logits of a fixed input, a number a line
//   chronos_peer forecast <folder> <series>           a forecast of 64 steps, 20 samples, 512 observations
//   chronos_peer train <folder> <adapter> <context> <horizon> <steps>   steps of fine-tuning, batch 32
// The last two print JSON: CPU and wall seconds, and the process' peak memory in MB.
#include "fmsb/adapt/fourier_ft.hpp"         // fourier_ft
#include "fmsb/adapt/lora.hpp"               // lora
#include "fmsb/models/chronos/forecast.hpp"  // forecast
#include "fmsb/models/t5.hpp"                // t5
#include "fmsb/models/t5/config_file.hpp"    // load_t5
#include "fmsb/train/freed_memory.hpp"       // keep_freed_memory

#include <torch/optim/adamw.h>  // torch::optim::AdamW

#include <chrono>          // std::chrono::steady_clock
#include <cstdio>          // std::printf
#include <cstdlib>         // std::strtol
#include <ctime>           // clock_gettime
#include <exception>       // std::exception
#include <span>            // std::span
#include <string>          // std::string
#include <sys/resource.h>  // getrusage
#include <vector>          // std::vector

namespace {

using namespace fmsb;
constexpr auto kSize = models::chronos_t5_tiny;

struct stopwatch {
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  double cpu_began = cpu();

  static double cpu() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  void print() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::printf("{\"cpu\": %.6f, \"wall\": %.6f, \"peak\": %.1f}\n", cpu() - cpu_began, wall.count(),
                static_cast<double>(used.ru_maxrss) / 1024);
  }
};

/// What both sides give the model to compare logits: tokens that need no generator.
tensor counted(index_t rows, index_t columns, index_t step) {
  return (at::arange(rows * columns, at::kLong) * step).remainder(4093).add(3).view({rows, columns});
}

int logits(const std::string& folder) {
  const auto model = models::load_t5<kSize>(folder);
  const torch::NoGradGuard no_gradient;
  const auto encoded = model->encode(counted(2, 513, 37));
  auto decoding = model->start(encoded, {}, 1);
  const auto tokens = counted(2, 8, 101);
  for (index_t t = 0; t < tokens.size(1); ++t) {
    const auto y = decoding.step(tokens.narrow(1, t, 1)).contiguous();
    for (index_t i = 0; i < y.numel(); ++i)
      std::printf("%.9g\n", static_cast<double>(y.const_data_ptr<float>()[i]));
  }
  return 0;
}

int forecast(const std::string& folder, index_t count) {
  const auto model = models::load_t5<kSize>(folder);
  torch::manual_seed(1);
  const auto walks = torch::randn({count, 512}, at::kDouble).cumsum(1);
  std::vector<std::span<const double>> past;
  for (index_t i = 0; i < count; ++i) past.emplace_back(walks.const_data_ptr<double>() + i * 512, 512);
  const chronos::tokenizer tokens{chronos::config{}};
  const stopwatch watch;
  chronos::forecast(*model, tokens, past, {.horizon = 64, .samples = 20});
  watch.print();
  return 0;
}

template <class Plan>
int finetune(const std::string& folder, index_t context, index_t horizon, int steps) {
  auto model = models::load_t5<kSize, Plan>(folder);
  model->train();
  std::vector<tensor> trained;
  for (auto& p : model->parameters())
    if (p.requires_grad()) trained.push_back(p);
  torch::optim::AdamW adam(trained, torch::optim::AdamWOptions(1e-3));
  torch::manual_seed(1);
  const auto ids = torch::randint(3, 4096, {32, context + 1}, at::kLong),
             labels = torch::randint(3, 4096, {32, horizon + 1}, at::kLong);
  const auto step = [&] {
    adam.zero_grad();
    model->loss(ids, {}, labels).backward();
    adam.step();
  };
  step();  // to warm up
  const stopwatch watch;
  for (int i = 0; i < steps; ++i) step();
  watch.print();
  return 0;
}

}  // namespace

int main(int count, char** words) try {
  at::set_num_threads(1);
  fmsb::train::keep_freed_memory();  // as examples/chronos does
  const std::string task = count > 2 ? words[1] : "", folder = count > 2 ? words[2] : "";
  const auto number = [&](int i) { return std::strtol(words[i], nullptr, 10); };
  using attention = adapt::plan<adapt::rule<adapt::names<"q", "k", "v", "o">, adapt::lora<2>>>;
  using spectra = adapt::plan<adapt::rule<adapt::names<"q", "v">, adapt::fourier_ft<100>>>;
  if (task == "logits") return logits(folder);
  if (task == "forecast" && count == 4) return forecast(folder, number(3));
  if (task == "train" && count == 7 && words[3] == std::string("lora"))
    return finetune<attention>(folder, number(4), number(5), static_cast<int>(number(6)));
  if (task == "train" && count == 7 && words[3] == std::string("fourier_ft"))
    return finetune<spectra>(folder, number(4), number(5), static_cast<int>(number(6)));
  std::fprintf(stderr, "chronos_peer: give a task and what it takes; see the head of chronos_peer.cpp.\n");
  return 2;
} catch (const std::exception& e) {
  std::fprintf(stderr, "chronos_peer: %s\n", e.what());
  return 3;
}
