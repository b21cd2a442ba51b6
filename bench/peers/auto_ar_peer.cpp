// Our side of bench/peers/auto_ar.py: the same array in memory, the same task, one thread; prints seconds and
// answers as JSON.
//
//   auto_ar_peer FILE CHANNELS TASK ORDER HORIZON REPEATS
//
// FILE holds doubles of this machine, channel after channel. TASK:
//   orders    least squares of every order 0..ORDER on one sample, and the order that BIC prefers
//   forecast  one model of ORDER lags on differences, pooled over channels, and HORIZON steps of every
//   channel choose    on differences: every order up to ORDER, the one that BIC prefers, HORIZON steps
//   nothing   what it costs to start
#include "fmsb/models/ar/criteria.hpp"  // best_order
#include "fmsb/models/ar/fit.hpp"       // fit

#include <nlohmann/json.hpp>

#include <algorithm>  // std::nth_element
#include <chrono>     // std::chrono::steady_clock
#include <cstdio>     // std::fprintf
#include <ctime>      // clock_gettime
#include <fstream>    // std::ifstream
#include <iostream>   // std::cout
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

namespace {

using namespace fmsb;

data::series read(const std::string& file, std::size_t channels) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) throw data_error(file + " cannot be read.");
  const auto bytes = static_cast<std::size_t>(in.tellg());
  if (channels == 0 || bytes == 0 || bytes % (channels * sizeof(double)) != 0)
    throw data_error(file + " has " + std::to_string(bytes) + " bytes, which are not " +
                     std::to_string(channels) + " channels of doubles.");
  std::vector<double> values(bytes / sizeof(double));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(bytes));
  std::vector<std::string> names;
  for (std::size_t c = 0; c < channels; ++c) names.push_back(std::to_string(c));
  return {names, {}, std::move(values)};
}

double cpu_now() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Medians over `repeats` calls after a first one that is not counted.
template <class Work>
nlohmann::json timed(int repeats, Work&& work) {
  std::vector<double> wall, cpu;
  for (int i = 0; i <= repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_now();
    work();
    if (i == 0) continue;
    cpu.push_back(cpu_now() - cpu_start);
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return {{"wall", median(wall)}, {"cpu", median(cpu)}};
}

ar::order_path all_orders(const data::series& y, std::size_t order, int differencing) {
  return ar::fit_orders(ar::gram_of(ar::lag_moments::of(y, order)), order, differencing);
}

nlohmann::json run(const data::series& x, const std::string& task, std::size_t order, std::size_t horizon,
                   int repeats) {
  nlohmann::json out;
  const auto forecasts = [&](const ar::model& m) {
    std::vector<std::vector<double>> paths;
    for (std::size_t c = 0; c < x.channels(); ++c) paths.push_back(ar::forecast(m, x.channel(c), horizon));
    return paths;
  };
  if (task == "orders") {
    ar::order_path path;
    std::size_t best = 0;
    out["seconds"] = timed(repeats, [&] {
      path = all_orders(x, order, 0);
      best = ar::best_order(ar::criterion::bic, path);
    });
    out["order"] = best;
    out["bic"] = ar::information(ar::criterion::bic, path);
  } else if (task == "forecast") {
    ar::model m;
    std::vector<std::vector<double>> paths;
    out["fit"] = timed(repeats, [&] { m = ar::fit(x, order, 1); });
    out["predict"] = timed(repeats, [&] { paths = forecasts(m); });
    out["forecasts"] = paths;
  } else if (task == "choose") {
    ar::model m;
    std::vector<std::vector<double>> paths;
    out["seconds"] = timed(repeats, [&] {
      const auto path = all_orders(ar::difference(x, 1), order, 1);
      m = path.at(ar::best_order(ar::criterion::bic, path));
      paths = forecasts(m);
    });
    out["order"] = m.order;
    out["forecasts"] = paths;
  } else if (task != "nothing") {
    throw usage_error("\"" + task + "\" is no task; take orders, forecast, choose or nothing.");
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "auto_ar_peer FILE CHANNELS orders|forecast|choose|nothing ORDER HORIZON REPEATS\n");
    return 2;
  }
  try {
    at::set_num_threads(1);
    const c10::InferenceMode no_gradients;
    const auto x = read(argv[1], std::stoul(argv[2]));
    std::cout
        << run(x, argv[3], std::stoul(argv[4]), std::stoul(argv[5]), std::max(1, std::stoi(argv[6]))).dump()
        << '\n';
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "auto_ar_peer: %s\n", e.what());
    return 1;
  }
}
