// Auto-AR against the way it is usually written, one thread, data in memory.
//
//   bench_auto_ar                                   everything, about five minutes
//   bench_auto_ar --benchmark_filter=released       some of it
//   FMSB_BENCH_SIZE=small bench_auto_ar             a made-up small series, to see that it works
//
// Every case is compared with its plain twin before it is timed; the program ends where they differ.
// Repetitions of all cases are interleaved in random order, medians are shown. Data: $FMSB_DATA or
// ../shared/data, else made up.
#include "fmsb/auto_ar.hpp"  // what is timed

#include "fmsb/core/isa.hpp"      // isa::run_at
#include "fmsb/core/version.hpp"  // version

#include "aims.hpp"           // aim, aims_reporter
#include "plain_auto_ar.hpp"  // the plain twins
#include "problem.hpp"        // data sets

#include <torch/version.h>  // TORCH_VERSION

#include <benchmark/benchmark.h>

#include <cmath>        // std::abs
#include <cstring>      // std::memcpy
#include <functional>   // std::function
#include <memory>       // std::shared_ptr
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

namespace {

using namespace fmsb;
using bench::aim;
using bench::problem;
using shared_problem = std::shared_ptr<const problem>;

bool close(double a, double b, double tolerance = 1e-8) {
  return std::abs(a - b) <= tolerance * std::max({std::abs(a), std::abs(b), 1e-300});
}

// ---- What is timed
// --------------------------------------------------------------------------------------------

ar::order_search search_of(const problem& p) {
  return {p.parts.train, p.parts.validation, ar::order_space::range(1, p.longest_order(), {0, 1}), p.context};
}

plain::outcome tested(const ar::model& m, const problem& p, std::size_t horizon) {
  const auto errors = ar::score(m, p.parts.test, p.grid(horizon));
  return {m.order, m.differencing, errors.mse, errors.mae};
}

plain::outcome released(const problem& p, std::size_t horizon) {
  const auto search = search_of(p);
  return tested(search.refit_released(search.released(horizon).chosen), p, horizon);
}

plain::outcome held_out(const problem& p, std::size_t horizon) {
  auto search = search_of(p);
  return tested(search.refit(search.hold_out(horizon).chosen), p, horizon);
}

plain::outcome recommended(const problem& p, std::size_t horizon) {
  auto search = search_of(p);
  return tested(search.refit(search.rolling(horizon).chosen), p, horizon);
}

double best(const problem& p, const std::vector<std::size_t>& horizons) {
  const ar::best_search search(p.parts.train, p.parts.validation, p.context, horizons);
  ar::best_fit fit(p.known(), p.context);
  double sum = 0;
  for (const auto horizon : horizons)
    sum += ar::score(fit(search.choose(horizon)), p.parts.test, p.grid(horizon)).mse;
  return sum;
}

ar::order_path all_orders(const data::series& differenced, std::size_t longest, int differencing) {
  return ar::fit_orders(ar::gram_of(ar::lag_moments::of(differenced, longest)), longest, differencing);
}

/// The library's own first-use memory and page faults belong to no case.
void warm_up() {
  const auto p = bench::small();
  for (const auto horizon : p.horizons) released(p, horizon), recommended(p, horizon);
}

// ---- How a case is timed
// --------------------------------------------------------------------------------------

struct timed_case {
  std::string name;
  std::string label;
  aim wanted{};
  std::function<void()> work;
  std::function<void()> compare{};  ///< with the plain twin, once, before the clock runs
  bool measure_memory = false;
  bool once = false;  ///< too long to repeat
  benchmark::TimeUnit unit = benchmark::kMillisecond;
};

void add(timed_case c) {
  auto compared = std::make_shared<bool>(false);
  auto peak = std::make_shared<double>(0);
  auto* registered =
      benchmark::RegisterBenchmark(c.name.c_str(), [c, compared, peak](benchmark::State& state) {
        if (!*compared) {
          if (c.measure_memory) *peak = bench::peak_megabytes(warm_up, c.work);
          if (c.compare) c.compare();
          *compared = true;
        }
        for (auto _ : state) c.work();
        c.wanted.tell(state);
        if (*peak > 0) state.counters["peak_MB"] = *peak;
        state.SetLabel(c.label);
      });
  registered->Unit(c.unit)->UseRealTime();
  if (c.once) registered->Iterations(1)->Repetitions(1);
}

void require_same(const std::string& name, const plain::outcome& ours, const plain::outcome& twin) {
  bench::require(ours.order == twin.order && ours.differencing == twin.differencing &&
                     close(ours.mse, twin.mse) && close(ours.mae, twin.mae),
                 name + ": the search ends with p = " + std::to_string(ours.order) +
                     ", d = " + std::to_string(ours.differencing) + ", test MSE " + std::to_string(ours.mse) +
                     ", the plain twin with p = " + std::to_string(twin.order) + ", d = " +
                     std::to_string(twin.differencing) + ", test MSE " + std::to_string(twin.mse) + ".");
}

void add_released(const shared_problem& p, std::size_t horizon, aim wanted, bool steps) {
  const std::string name = "released/" + p->name + "/" + std::to_string(horizon);
  const auto grid = p->grid(horizon);
  // The product twin answers for ours before anything is timed; the step twin answers for itself afterwards.
  add({.name = name,
       .label = p->source,
       .wanted = wanted,
       .work = [=] { benchmark::DoNotOptimize(released(*p, horizon)); },
       .compare =
           [=] {
             require_same(name, released(*p, horizon),
                          plain::released<plain::windows_by_products>(p->parts, grid));
           },
       .measure_memory = true});
  if (steps)
    add({.name = name + "/plain, step by step",
         .label = "all windows in one tensor, as the released program",
         .work =
             [=] {
               const auto twin = plain::released<plain::windows_by_steps>(p->parts, grid);
               require_same(name, released(*p, horizon), twin);
             },
         .once = horizon > 100});
  add({.name = name + "/plain, products",
       .label = "windows written out 1024 at a time, one matrix product for all steps",
       .work = [=] { benchmark::DoNotOptimize(plain::released<plain::windows_by_products>(p->parts, grid)); },
       .once = horizon > 100});
}

void add_all_orders(const shared_problem& p) {
  const auto y = std::make_shared<const data::series>(ar::difference(p->known(), 1));
  const std::size_t longest = p->longest_order();
  const std::string name = "all orders/" + p->name;
  const auto twin_path = [=] {
    const auto full = plain::gram_of(*y, longest);  // lags 1 .. P, ones, target
    const auto l = plain::extent(longest);
    const auto order = at::cat({at::arange(l + 1, l + 2, at::kLong), at::arange(0, l, at::kLong)}, 0);
    ar::lag_gram g;
    g.second = full.index_select(0, order).index_select(1, order).contiguous();
    g.first = full.select(0, l).index_select(0, order).contiguous();
    g.count = full.select(0, l).select(0, l).item<double>();
    return ar::fit_orders(g, longest, 1);
  };
  add({.name = name,
       .label = p->source + ", d = 1, orders 0 to " + std::to_string(longest) + " with coefficients",
       .wanted = {.seconds = longest > 500 ? 0.025 : 0},
       .work = [=] { benchmark::DoNotOptimize(all_orders(*y, longest, 1).rss.data()); },
       .compare =
           [=] {
             const auto ours = all_orders(*y, longest, 1), twin = twin_path();
             const double apart = (ours.coefficients - twin.coefficients).abs().max().item<double>();
             bench::require(apart < 1e-9 && close(ours.rss.back(), twin.rss.back()),
                            name + ": coefficients are " + std::to_string(apart) +
                                " from those of a Gram matrix that "
                                "was summed in full.");
             // One order by a design of its own, on the sample that all orders share.
             const std::size_t middle = longest / 2;
             const auto one = plain::fit(p->known(), middle, 1, longest);
             double most = 0;
             for (std::size_t i = 0; i < middle; ++i)
               most = std::max(most, std::abs(one.coefficients[i] - ours.at(middle).coefficients[i]));
             bench::require(most < 1e-9, name + ": order " + std::to_string(middle) + " is " +
                                             std::to_string(most) + " from its own regression.");
           }});
  add({.name = name + "/plain",
       .label = "the Gram matrix from the written-out design, then the same factorisation",
       .work = [=] { benchmark::DoNotOptimize(twin_path().rss.data()); }});
}

double score_of(const ar::verdict& v, std::size_t order, int differencing) {
  for (const auto& t : v.tables)
    for (std::size_t i = 0; t.differencing == differencing && i < t.orders.size(); ++i)
      if (t.orders[i] == order) return t.scores[i];
  return 0;
}

std::size_t longest_of(const ar::verdict& v, int differencing) {
  for (const auto& t : v.tables)
    if (t.differencing == differencing) return t.orders.back();
  return 0;
}

/// A criterion over all orders and both differencings. The twin scores one candidate of about a thousand.
template <class Search, class Verdict, class Twin>
void add_selection(const std::string& kind, const shared_problem& p, std::size_t horizon, aim wanted,
                   Search search, Verdict verdict, Twin twin) {
  const std::string name = kind + "/" + p->name + "/" + std::to_string(horizon);
  add({.name = name,
       .label = p->source,
       .wanted = wanted,
       .work = [=] { benchmark::DoNotOptimize(search(*p, horizon)); },
       .compare =
           [=] {
             const auto v = verdict(*p, horizon);
             for (const int d : {0, 1})
               for (const std::size_t order : {std::size_t{1}, longest_of(v, d) / 5, longest_of(v, d)}) {
                 const double ours = score_of(v, order, d),
                              plain = twin(*p, horizon, order, d, longest_of(v, d));
                 bench::require(std::abs(ours - plain) < 1e-8 * std::max(1.0, std::abs(plain)),
                                name + ": order " + std::to_string(order) + " with d = " + std::to_string(d) +
                                    " scores " + std::to_string(ours) + ", by windows " +
                                    std::to_string(plain) + ".");
               }
           },
       .measure_memory = wanted.megabytes > 0});
  const auto v = std::make_shared<ar::verdict>();
  add({.name = name + "/plain, one candidate",
       .label = "the chosen order alone, by written-out designs and windows",
       .work =
           [=] {
             if (v->tables.empty()) *v = verdict(*p, horizon);
             benchmark::DoNotOptimize(twin(*p, horizon, v->chosen.order, v->chosen.differencing,
                                           longest_of(*v, v->chosen.differencing)));
           },
       .once = true});
}

void add_hold_out(const shared_problem& p, std::size_t horizon, aim wanted) {
  add_selection(
      "hold-out", p, horizon, wanted, held_out,
      [](const problem& q, std::size_t h) { return search_of(q).hold_out(h); },
      [](const problem& q, std::size_t h, std::size_t order, int d, std::size_t longest) {
        return plain::hold_out_mse(q.parts, q.grid(h), order, d, longest);
      });
}

void add_recommended(const shared_problem& p, std::size_t horizon, aim wanted) {
  add_selection(
      "recommended", p, horizon, wanted, recommended,
      [](const problem& q, std::size_t h) { return search_of(q).rolling(h); },
      [](const problem& q, std::size_t h, std::size_t order, int d, std::size_t longest) {
        return plain::rolling_log_mse(q.known(), q.grid(h), order, d, longest);
      });
}

void add_best(const shared_problem& p, const std::vector<std::size_t>& horizons, aim wanted) {
  const std::string name = "best/" + p->name + "/" + std::to_string(horizons.size()) + " horizons";
  add({.name = name,
       .label = p->source,
       .wanted = wanted,
       .work = [=] { benchmark::DoNotOptimize(best(*p, horizons)); },
       .compare = [=] {  // The test errors of one horizon, by windows that are written out.
         const std::size_t horizon = horizons.front();
         const ar::best_search search(p->parts.train, p->parts.validation, p->context, {horizon});
         const auto fitted = ar::best_fit(p->known(), p->context)(search.choose(horizon));
         const auto ours = ar::score(fitted, p->parts.test, p->grid(horizon));
         const auto twin =
             plain::windows_by_products(p->parts.test.with_history(p->context), p->grid(horizon), 0)
                 .errors_of(fitted.channels);
         bench::require(
             // Errors come by transforms in single precision.
             close(ours.mse, twin.squared / twin.count, 1e-7) &&
                 close(ours.mae, twin.absolute / twin.count, 1e-7),
             name + ": the test MSE is " + std::to_string(ours.mse) + ", by windows " +
                 std::to_string(twin.squared / twin.count) + ".");
       }});
}

void add_stream(const shared_problem& p) {
  const std::size_t channels = p->known().channels(), longest = p->longest_order() + 1;
  const std::string name = "tick/" + p->name;
  const auto rows = std::make_shared<std::vector<std::vector<double>>>();
  const auto known = p->known();
  for (std::size_t t = 0; t < known.length(); ++t) {
    rows->emplace_back();
    for (std::size_t c = 0; c < channels; ++c) rows->back().push_back(known.channel(c)[t]);
  }
  const auto ours =
      std::make_shared<ar::stream>(ar::stream::options{.channels = channels, .max_order = longest});
  const auto twin = std::make_shared<plain::stream>(channels, longest);
  const auto place = std::make_shared<std::size_t>(0), twin_place = std::make_shared<std::size_t>(0);
  const std::string shape = std::to_string(channels) + " channels, P = " + std::to_string(longest);
  add({.name = name,
       .label = shape,
       .wanted = {.seconds = longest == 512 ? 10e-6 : 0},
       .work = [=] { ours->tick((*rows)[(*place)++ % rows->size()]); },
       .compare =
           [=] {
             ar::stream one({.channels = channels, .max_order = longest});
             plain::stream other(channels, longest);
             for (std::size_t t = 0; t < longest + 200; ++t) one.tick((*rows)[t]), other.tick((*rows)[t]);
             const auto gram = ar::gram_of(one.moments()).second;
             const double apart =
                 (gram - other.gram()).abs().max().item<double>() / gram.abs().max().item<double>();
             bench::require(apart < 1e-12, name + ": the Gram matrix of the stream is " +
                                               std::to_string(apart) +
                                               " from one that every tick was added to.");
           },
       .unit = benchmark::kMicrosecond});
  add({.name = name + "/plain",
       .label = "the whole Gram matrix, updated at every tick",
       .work = [=] { twin->tick((*rows)[(*twin_place)++ % rows->size()]); },
       .unit = benchmark::kMicrosecond});
}

// ---- What the machine can do
// ----------------------------------------------------------------------------------

template <class Work>
void add_rate(const std::string& name, const std::string& unit, double amount, Work work) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 for (auto _ : state) work();
                                 state.counters[unit] = benchmark::Counter(
                                     amount * 1e-9 * static_cast<double>(state.iterations()),
                                     benchmark::Counter::kIsRate);
                               })
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

void add_ceilings(std::size_t outputs, std::size_t weights) {
  const auto x = std::make_shared<std::vector<double>>(outputs + weights, 0.5);
  const auto w = std::make_shared<std::vector<double>>(weights, 0.5);
  const auto out = std::make_shared<std::vector<double>>(outputs);
  for (const auto level : {isa::level::baseline, isa::level::avx2, isa::level::avx512}) {
    if (level > isa::current()) continue;
    add_rate("ceiling/correlate " + std::string(isa::name(level)), "Gflop/s",
             2.0 * static_cast<double>(outputs * weights), [=] {
               isa::run_at<ar::detail::correlate_kernel>(level, out->data(), outputs,
                                                         static_cast<const double*>(w->data()), weights,
                                                         static_cast<const double*>(x->data()));
               benchmark::ClobberMemory();
             });
  }
  const std::int64_t n = 1024;
  const auto a = at::ones({n, n}, at::kDouble), b = at::ones({n, n}, at::kDouble);
  const auto c = at::empty({n, n}, at::kDouble);
  add_rate("ceiling/at::mm, double, 1024", "Gflop/s", 2.0 * 1024 * 1024 * 1024, [=] {
    tensor product = c;  // the same memory every time
    at::mm_out(product, a, b);
  });
  const std::size_t bytes = std::size_t{1} << 26;
  const auto from = std::make_shared<std::vector<char>>(bytes, char{1}),
             to = std::make_shared<std::vector<char>>(bytes);
  add_rate("ceiling/copy, 64 MiB", "GB/s", static_cast<double>(bytes), [=] {
    std::memcpy(to->data(), from->data(), bytes);
    benchmark::ClobberMemory();
  });
}

void add_small() {
  const auto p = std::make_shared<const problem>(bench::small());
  for (const std::size_t horizon : p->horizons) {
    add_released(p, horizon, {}, true);
    add_hold_out(p, horizon, {});
    add_recommended(p, horizon, {.megabytes = 64});
  }
  add_all_orders(p);
  add_best(p, p->horizons, {});
  add_stream(p);
  add_ceilings(p->context, 2000);
}

void add_full() {
  const auto h1 = std::make_shared<const problem>(bench::ett_h1());
  const auto m1 = std::make_shared<const problem>(bench::ett_m1());
  const auto weather = std::make_shared<const problem>(bench::weather());
  const std::vector<std::size_t> four{96, 192, 336, 720};
  add_released(h1, 96, {.seconds = 0.1, .ratio = 100, .megabytes = 64}, true);
  add_released(h1, 720, {.seconds = 0.3, .ratio = 300, .megabytes = 64}, true);
  add_released(m1, 720, {.seconds = 1.0, .megabytes = 64}, false);
  add_all_orders(h1);
  add_hold_out(h1, 96, {.seconds = 0.5});
  add_hold_out(h1, 720, {.seconds = 2.5});
  add_recommended(h1, 96, {.seconds = 1, .megabytes = 64});
  add_recommended(h1, 720, {.seconds = 5, .megabytes = 64});
  add_best(h1, four, {.seconds = 1.5});
  add_best(m1, four, {.seconds = 4});
  add_best(weather, four, {.seconds = 4});
  add_stream(h1);
  add_ceilings(512, 11519);
}

}  // namespace

int main(int argc, char** argv) {
  const char* size = std::getenv("FMSB_BENCH_SIZE");
  const bool is_small = size != nullptr && std::string_view(size) == "small";
  std::vector<std::string> words{
      argv[0], is_small ? "--benchmark_repetitions=1" : "--benchmark_repetitions=5",
      "--benchmark_enable_random_interleaving=true", "--benchmark_display_aggregates_only=true"};
  words.insert(words.end(), argv + 1, argv + argc);  // the caller's words win
  std::vector<char*> pointers;
  for (auto& w : words) pointers.push_back(w.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  at::set_num_threads(1);
  const c10::InferenceMode no_gradients;
  benchmark::AddCustomContext("fmsb", std::string(version));
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("LibTorch", TORCH_VERSION);
  benchmark::AddCustomContext("threads", std::to_string(at::get_num_threads()));
  benchmark::AddCustomContext("instruction set", isa::name(isa::current()));
  try {
    warm_up();
    if (is_small)
      add_small();
    else
      add_full();
    bench::aims_reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  } catch (const fmsb::error& e) {
    std::fprintf(stderr, "bench_auto_ar: %s\n", e.what());
    return 3;
  }
}
