// Whether `automatic` is the fastest way to compute a mixed convolution, over many shapes: forward and
// backward through autograd by every method that takes the shape, float, one thread.
//
//   bench_mixed_conv_sweep                       about eight minutes
//   bench_mixed_conv_sweep --out sweep.csv       and every time with its cost terms, for fit_mixed_cost
//   bench_mixed_conv_sweep --choices             what is chosen at each shape, measuring nothing
//   FMSB_BENCH_SIZE=small bench_mixed_conv_sweep some small shapes, to see that it works
//
// The regret of a choice is its time over that of the best method for the shape, less 1.
#include "fmsb/nn/mixed_conv.hpp"       // mixed_conv
#include "fmsb/nn/module.hpp"           // module
#include "fmsb/report/atomic_file.hpp"  // write_atomically
#include "fmsb/report/table.hpp"        // report::table
#include "fmsb/space/product.hpp"       // product
#include "fmsb/train/freed_memory.hpp"  // keep_freed_memory

#include "rounds.hpp"  // seconds_of, median

#include <ATen/Parallel.h>                 // at::set_num_threads
#include <ATen/ops/randn.h>                // at::randn
#include <torch/csrc/autograd/autograd.h>  // torch::autograd::grad

#include <algorithm>    // std::max, std::min_element
#include <cstdio>       // std::printf, std::fputs
#include <cstdlib>      // std::getenv
#include <limits>       // std::numeric_limits
#include <ostream>      // std::ostream
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using nn::mixed_method;
using row_space = space::product<space::kernel_sizes<3, 5, 7, 9, 11>, space::dilations<1, 3, 5, 7>>;
using long_space = space::product<space::kernel_sizes<3, 7, 11, 15, 19>, space::dilations<1, 3, 7, 15>>;
using image_space = space::product<space::kernel_sizes<3, 5, 7, 9>, space::dilations<1, 3, 5, 7>>;

struct timed {
  mixed_method method;
  double seconds;
};
struct measured {
  std::string kind;
  index_t batch, channels, length;
  nn::mixed_shape shape;
  mixed_method chosen;
  std::vector<timed> all;

  double best() const {
    return std::min_element(all.begin(), all.end(),
                            [](const timed& a, const timed& b) { return a.seconds < b.seconds; })
        ->seconds;
  }
  double of(mixed_method m) const {
    for (const auto& t : all)
      if (t.method == m) return t.seconds;
    return 0;
  }
};

bool only_choices = false;

template <int Axes, class Space, index_t Groups>
measured measure(const std::string& kind, index_t batch, index_t channels, index_t length) {
  using layer =
      nn::mixed_conv<Axes, Space, dynamic, dynamic,
                     {.groups = Groups, .coefficients = nn::mixing::given, .bias = nn::bias_term::no}>;
  auto m = nn::module<layer>(nn::conv_extents{.in = channels, .out = channels});
  std::vector<index_t> sizes{batch, channels};
  sizes.insert(sizes.end(), Axes, length);
  const auto x = at::randn(sizes).requires_grad_(), gy = at::randn(sizes),
             a = at::randn({layer::points}).softmax(0).requires_grad_();
  const auto pass = [&] { torch::autograd::grad({m->forward(x, a)}, {m->weight, x, a}, {gy}); };
  measured found{kind, batch, channels, length, m->shape_of(x), m->chosen(x), {}};
  if (only_choices) {
    std::printf("%s,%d,%d,%d,%s\n", kind.c_str(), static_cast<int>(batch), static_cast<int>(channels),
                static_cast<int>(length), nn::name_of(found.chosen));
    return found;
  }
  std::vector<mixed_method> methods;
  std::vector<std::vector<double>> took;
  double best = std::numeric_limits<double>::infinity();
  for (const auto method : nn::mixed_methods) {
    if (!nn::can_take(method, found.shape)) continue;
    // LibTorch's convolution over a wide field takes minutes where it is hopeless.
    if (method == mixed_method::kernel && nn::terms_of(method, found.shape)[2] > 2e9) continue;
    m->method = method;
    const double first = bench::seconds_of(pass, 1), once = std::min(first, bench::seconds_of(pass, 1));
    best = std::min(best, once);
    methods.push_back(method);
    took.push_back({once});
  }
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < methods.size(); ++i) {
      if (took[i][0] > 3 * best) continue;  // no rival: once is enough
      m->method = methods[i];
      pass();
      took[i].push_back(bench::seconds_of(pass, std::clamp(static_cast<int>(4e-3 / took[i][0]), 1, 50)));
    }
  for (std::size_t i = 0; i < methods.size(); ++i) found.all.push_back({methods[i], bench::median(took[i])});
  return found;
}

/// Three digits; nothing for what was not measured, and for no regret.
std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value <= 0 ? "" : "%.3g", value);
  return text;
}
std::string milliseconds(double seconds) { return three_digits(seconds * 1e3); }

}  // namespace

int main(int argc, char** argv) {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  const bool small = size != nullptr && std::string_view(size) == "small";
  std::string out;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--out" && i + 1 < argc) {
      out = argv[++i];
    } else if (std::string_view(argv[i]) == "--choices") {
      only_choices = true;
    } else {
      std::fputs("bench_mixed_conv_sweep [--out FILE.csv | --choices]\n", stderr);
      return 2;
    }
  }
  train::keep_freed_memory();
  at::set_num_threads(1);
  const double most = small ? 1 << 14 : 1 << 21;  // numbers of x
  std::vector<measured> all;
  if (only_choices) std::puts("kind,batch,channels,length,chosen");
  for (const index_t channels : {8, 32, 128, 512})
    for (const index_t batch : {1, 8, 64, 256}) {
      for (const index_t length : {32, 128, 512, 2048, 4096}) {
        if (static_cast<double>(batch * channels * length) > most) continue;
        all.push_back(measure<1, row_space, nn::depthwise>("depthwise rows", batch, channels, length));
        if (length >= 128 && length <= 2048)
          all.push_back(
              measure<1, long_space, nn::depthwise>("depthwise rows of 61 taps", batch, channels, length));
        if (channels * channels * batch * length <= index_t{1} << (small ? 18 : 28))
          all.push_back(measure<1, row_space, 1>("dense rows", batch, channels, length));
        std::fprintf(stderr, "\r%zu shapes", all.size());
      }
      for (const index_t length : {8, 16, 32, 64, 128}) {
        if (static_cast<double>(batch * channels * length * length) > most) continue;
        all.push_back(measure<2, image_space, nn::depthwise>("depthwise images", batch, channels, length));
        if (channels * channels * batch * length * length <= index_t{1} << (small ? 16 : 28) &&
            channels <= 128)
          all.push_back(measure<2, image_space, 1>("dense images", batch, channels, length));
        std::fprintf(stderr, "\r%zu shapes", all.size());
      }
    }
  std::fputs("\n", stderr);
  if (only_choices) return 0;

  report::table table({"kind", "batch", "channels", "length", "direct", "spectrum", "transform", "kernel",
                       "chosen", "regret %"});
  std::string csv = "kind,batch,channels,length,method,ms,term1,term2,term3,term4\n";
  std::vector<double> regrets, over_fallback;
  for (const auto& m : all) {
    const double regret = m.of(m.chosen) / m.best() - 1;
    regrets.push_back(regret);
    over_fallback.push_back(m.of(m.chosen) / m.of(mixed_method::transform));
    table.add({m.kind, std::to_string(m.batch), std::to_string(m.channels), std::to_string(m.length),
               milliseconds(m.of(mixed_method::direct)), milliseconds(m.of(mixed_method::spectrum)),
               milliseconds(m.of(mixed_method::transform)), milliseconds(m.of(mixed_method::kernel)),
               nn::name_of(m.chosen), three_digits(regret * 100)});
    for (const auto& t : m.all) {
      csv += m.kind + "," + std::to_string(m.batch) + "," + std::to_string(m.channels) + "," +
             std::to_string(m.length) + "," + nn::name_of(t.method) + "," + milliseconds(t.seconds);
      for (const double term : nn::terms_of(t.method, m.shape)) csv += "," + std::to_string(term);
      csv += "\n";
    }
  }
  std::fputs(table.text().c_str(), stdout);
  std::printf(
      "%zu shapes, milliseconds forward and backward; regret: median %.1f %%, most %.1f %%; over LibTorch's "
      "transforms: most %.2f\n",
      all.size(), bench::median(regrets) * 100, *std::max_element(regrets.begin(), regrets.end()) * 100,
      *std::max_element(over_fallback.begin(), over_fallback.end()));
  if (!out.empty()) report::write_atomically(out, [&](std::ostream& to) { to << csv; });
}
