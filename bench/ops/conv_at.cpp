// The convolution of one point by LibTorch and by the library, over shapes and points: forward and backward
// through autograd, float, one thread, in turns.
//
//   bench_conv_at                        about a minute
//   bench_conv_at --out points.csv       and the same as CSV
//   FMSB_BENCH_SIZE=small bench_conv_at  some small shapes, to see that it works
#include "fmsb/nn/conv_at.hpp"  // conv_at

#include "fmsb/nn/module.hpp"           // module
#include "fmsb/report/atomic_file.hpp"  // write_atomically
#include "fmsb/report/table.hpp"        // report::table
#include "fmsb/space/product.hpp"       // product
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "rounds.hpp"  // seconds_of, median

#include <ATen/Parallel.h>                 // at::set_num_threads
#include <ATen/ops/randn.h>                // at::randn
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <algorithm>    // std::clamp, std::min
#include <cstdio>       // std::snprintf, std::fputs
#include <cstdlib>      // std::getenv
#include <ostream>      // std::ostream
#include <string>       // std::string, std::to_string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using nn::mixed_method;
using choices = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 7>>;

struct measured {
  std::string kind;
  index_t batch, channels, length, kernel, dilation;
  mixed_method chosen;
  double libtorch, ours;  // seconds; ours by the kernels, chosen or not

  double regret() const {
    return (chosen == mixed_method::kernel ? libtorch : ours) / std::min(libtorch, ours) - 1;
  }
};

struct shape {
  index_t batch, channels, length;
};

template <int Axes, auto Point, index_t Groups>
measured measure(const std::string& kind, const shape& s) {
  using layer = nn::conv_at<Axes, Point, dynamic, dynamic, {.groups = Groups, .bias = nn::bias_term::no}>;
  nn::module<layer> m(nn::conv_extents{.in = s.channels, .out = s.channels});
  std::vector<index_t> sizes{s.batch, s.channels};
  sizes.insert(sizes.end(), Axes, s.length);
  const auto x = at::randn(sizes).requires_grad_(), gy = at::randn(sizes);
  const auto pass = [&] { torch::autograd::grad({m->forward(x)}, {m->weight, x}, {gy}); };
  const mixed_method ways[] = {mixed_method::kernel, Axes == 1 && Groups == nn::depthwise
                                                         ? mixed_method::direct
                                                         : mixed_method::spectrum};
  std::vector<double> took[2];
  for (int round = 0; round < 5; ++round)
    for (std::size_t i = 0; i < 2; ++i) {
      m->method = ways[i];
      pass();
      const double once = bench::seconds_of(pass, 1);
      took[i].push_back(bench::seconds_of(pass, std::clamp(static_cast<int>(4e-3 / once), 1, 50)));
    }
  return {kind,
          s.batch,
          s.channels,
          s.length,
          layer::kernel,
          layer::dilation,
          m->chosen(x),
          bench::median(took[0]),
          bench::median(took[1])};
}

/// The points of a kind at a shape: near and far taps, few and many.
template <int Axes, index_t Groups>
void measure_points(std::vector<measured>& all, const std::string& kind, const shape& s) {
  all.push_back(measure<Axes, choices::make(0), Groups>(kind, s));   // 3, 1
  all.push_back(measure<Axes, choices::make(2), Groups>(kind, s));   // 3, 7
  all.push_back(measure<Axes, choices::make(4), Groups>(kind, s));   // 5, 3
  all.push_back(measure<Axes, choices::make(9), Groups>(kind, s));   // 9, 1
  all.push_back(measure<Axes, choices::make(11), Groups>(kind, s));  // 9, 7
}

}  // namespace

int main(int argc, char** argv) {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  const bool small = size != nullptr && std::string_view(size) == "small";
  std::string out;
  if (argc == 3 && std::string_view(argv[1]) == "--out") {
    out = argv[2];
  } else if (argc != 1) {
    std::fputs("bench_conv_at [--out FILE.csv]\n", stderr);
    return 2;
  }
  train::keep_freed_memory();
  at::set_num_threads(1);
  const std::vector<shape> rows = small ? std::vector<shape>{{2, 8, 40}}
                                        : std::vector<shape>{{32, 64, 512},
                                                             {128, 128, 300},
                                                             {4, 16, 2048},
                                                             {1, 32, 64}},
                           images = small ? std::vector<shape>{{2, 8, 12}}
                                          : std::vector<shape>{
                                                {16, 32, 32}, {16, 64, 16}, {4, 16, 128}, {1, 16, 24}};
  std::vector<measured> all;
  for (const auto& s : rows) {
    measure_points<1, nn::depthwise>(all, "depthwise rows", s);
    measure_points<1, 1>(all, "dense rows", s);
    std::fprintf(stderr, "\r%zu points", all.size());
  }
  for (const auto& s : images) {
    measure_points<2, nn::depthwise>(all, "depthwise images", s);
    measure_points<2, 1>(all, "dense images", s);
    std::fprintf(stderr, "\r%zu points", all.size());
  }
  std::fputs("\n", stderr);

  report::table table({"kind", "batch", "channels", "length", "kernel", "dilation", "LibTorch ms", "ours ms",
                       "chosen", "regret %"});
  std::string csv = "kind,batch,channels,length,kernel,dilation,libtorch_ms,ours_ms,chosen\n";
  const auto text = [](const char* format, double value) {
    char written[32];
    std::snprintf(written, sizeof written, format, value);
    return std::string(written);
  };
  for (const auto& m : all) {
    const std::vector<std::string> named{m.kind,
                                         std::to_string(m.batch),
                                         std::to_string(m.channels),
                                         std::to_string(m.length),
                                         std::to_string(m.kernel),
                                         std::to_string(m.dilation)};
    auto row = named;
    for (const auto& cell : named) csv += cell + ",";
    csv += text("%.4g", m.libtorch * 1e3) + "," + text("%.4g", m.ours * 1e3) + "," + nn::name_of(m.chosen) +
           "\n";
    row.insert(row.end(), {text("%.3g", m.libtorch * 1e3), text("%.3g", m.ours * 1e3), nn::name_of(m.chosen),
                           text("%.0f", 100 * m.regret())});
    table.add(row);
  }
  std::fputs(table.text().c_str(), stdout);
  if (!out.empty()) report::write_atomically(out, [&](std::ostream& file) { file << csv; });
}
