// Forecast metrics and the reading of panels against the way they are usually written, one thread, data in
// memory.
//
//   bench_metrics                                everything, about a minute
//   bench_metrics --benchmark_filter=dtw         some of it
//
// Every case is compared with its plain twin before it is timed; the program ends where they differ.
// Repetitions of all cases are interleaved in random order, medians are shown. All numbers are made up.
#include "fmsb/core/isa.hpp"            // isa::current
#include "fmsb/core/random_bits.hpp"    // random_bits
#include "fmsb/core/version.hpp"        // version
#include "fmsb/data/panel_windows.hpp"  // panel_windows
#include "fmsb/data/read_panel.hpp"     // parse_panel
#include "fmsb/evaluate/crps.hpp"       // crps_accumulator
#include "fmsb/evaluate/dtw.hpp"        // dtw

#include "aims.hpp"  // aim, aims_reporter

#include <benchmark/benchmark.h>

#include <algorithm>   // std::min
#include <cmath>       // std::abs
#include <functional>  // std::function
#include <limits>      // std::numeric_limits
#include <memory>      // std::shared_ptr
#include <string>      // std::string
#include <utility>     // std::swap
#include <vector>      // std::vector

namespace {

using namespace fmsb;
using bench::aim;
using numbers = std::vector<double>;

/// A walk, as series are rarely noise alone.
numbers walk(std::size_t count, std::uint64_t stream) {
  random_bits bits(1, stream);
  numbers out;
  double level = 0;
  for (std::size_t i = 0; i < count; ++i) out.push_back(level += unit_interval(bits) - .5);
  return out;
}

// ---- Plain twins
// ----------------------------------------------------------------------------------------------

double plain_dtw(const numbers& a, const numbers& b, std::size_t band) {
  const double infinity = std::numeric_limits<double>::infinity();
  numbers before(b.size() + 1, infinity), row(b.size() + 1);
  before[0] = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::fill(row.begin(), row.end(), infinity);
    for (std::size_t j = i > band ? i - band : 1; j <= std::min(b.size(), i + band); ++j) {
      const double apart = a[i - 1] - b[j - 1];
      row[j] = apart * apart + std::min({before[j], before[j - 1], row[j - 1]});
    }
    std::swap(before, row);
  }
  return std::sqrt(before[b.size()]);
}

double plain_crps(const numbers& samples, double truth) {
  double sizes = 0, pairs = 0;
  for (const double x : samples) {
    sizes += std::abs(x - truth);
    for (const double other : samples) pairs += std::abs(x - other);
  }
  const auto n = static_cast<double>(samples.size());
  return sizes / n - pairs / (2 * n * n);
}

// ---- How a case is timed
// --------------------------------------------------------------------------------------

struct timed_case {
  std::string name;
  std::string label;
  aim wanted{};
  std::function<double()> work;  ///< returns what its twin must return, too
  std::function<double()> plain{};
};

void time(const std::string& name, const std::string& label, aim wanted,
          const std::function<double()>& work) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 for (auto _ : state) benchmark::DoNotOptimize(work());
                                 wanted.tell(state);
                                 state.SetLabel(label);
                               })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

void add(const timed_case& c) {
  if (c.plain) {
    const double ours = c.work(), twin = c.plain();
    bench::require(
        std::abs(ours - twin) <= 1e-10 * std::abs(twin),
        c.name + ": " + std::to_string(ours) + ", but the plain twin says " + std::to_string(twin) + ".");
  }
  time(c.name, c.label, c.wanted, c.work);
  if (c.plain) time(c.name + "/plain", "", {}, c.plain);
}

void add_dtw(std::size_t length, std::size_t pairs, std::size_t band, aim wanted) {
  const auto a = std::make_shared<std::vector<numbers>>(), b = std::make_shared<std::vector<numbers>>();
  for (std::size_t k = 0; k < pairs; ++k) {
    a->push_back(walk(length, 2 * k));
    b->push_back(walk(length, 2 * k + 1));
  }
  const auto summed = [=](auto distance) {
    return [=] {
      double sum = 0;
      for (std::size_t k = 0; k < a->size(); ++k) sum += distance((*a)[k], (*b)[k]);
      return sum;
    };
  };
  const bool banded = band < length;
  add({.name = "dtw/" + std::to_string(length) + (banded ? "/band " + std::to_string(band) : "/exact"),
       .label = std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs"),
       .wanted = wanted,
       .work = summed([=](const numbers& x, const numbers& y) { return metrics::dtw(x, y, {.band = band}); }),
       .plain = summed([=](const numbers& x, const numbers& y) { return plain_dtw(x, y, band); })});
}

void add_crps(std::size_t samples, std::size_t truths, aim wanted) {
  const auto drawn = std::make_shared<std::vector<numbers>>();
  for (std::size_t k = 0; k < truths; ++k) drawn->push_back(walk(samples, k));
  const auto summed = [=](auto score) {
    return [=] {
      double sum = 0;
      for (const auto& one : *drawn) sum += score(one, .3);
      return sum;
    };
  };
  add({.name = "crps/" + std::to_string(samples),
       .label = std::to_string(truths) + " truths",
       .wanted = wanted,
       .work = summed([](const numbers& x, double y) { return metrics::crps(x, y); }),
       .plain = summed(plain_crps)});
}

void add_panel() {
  const auto text = std::make_shared<std::string>("patient,hour,heart_rate_bpm,mean_pressure_mmhg\n");
  random_bits bits(1);
  for (int patient = 0; patient < 2400; ++patient)
    for (int hour = 0; hour < 48; ++hour) {
      *text += std::to_string(100000 + patient) + "," + std::to_string(hour);
      for (const double centre : {80.0, 75.0}) {
        *text += ",";
        if (bits() % 5 > 0) *text += std::to_string(centre + 20 * unit_interval(bits)).substr(0, 5);
      }
      *text += "\n";
    }
  const auto read = [=] { return data::parse_panel(*text, {.id = "patient", .time = "hour"}); };
  const auto panel = std::make_shared<const data::panel>(read());
  add({.name = "panel/read",
       .label = "2,400 series of 48 rows, 2 channels",
       .wanted = {.seconds = .1},
       .work = [=] { return static_cast<double>(read().rows()); }});
  add({.name = "panel/windows", .label = "context 36, horizon 6, all starts", .work = [=] {
         const data::panel_windows windows(*panel, {.context = 36, .horizon = 6, .observed_horizon = 1});
         double sum = 0;
         for (const auto& window : windows) sum += static_cast<double>(window.start);
         return sum;
       }});
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words{argv[0], "--benchmark_repetitions=5",
                                 "--benchmark_enable_random_interleaving=true",
                                 "--benchmark_display_aggregates_only=true"};
  words.insert(words.end(), argv + 1, argv + argc);  // the caller's words win
  std::vector<char*> pointers;
  for (auto& w : words) pointers.push_back(w.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  benchmark::AddCustomContext("fmsb", std::string(version));
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("instruction set", isa::name(isa::current()));
  for (const auto& [length, pairs] : {std::pair<std::size_t, std::size_t>{6, 1000}, {64, 100}, {1024, 1}}) {
    add_dtw(length, pairs, length, {.ratio = length == 1024 ? 3.0 : 1.0});
    add_dtw(length, pairs, length / 10 + 1, {.ratio = length == 1024 ? 5.0 : 1.0});
  }
  add_crps(20, 1000, {.ratio = 1});
  add_crps(1000, 20, {.ratio = 4});
  add_panel();
  bench::aims_reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
