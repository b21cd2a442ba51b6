#pragma once
#include "fmsb/report/table.hpp"  // report::table

#include <benchmark/benchmark.h>

#include <algorithm>   // std::sort
#include <cstdint>     // std::int64_t
#include <cstdio>      // std::fputs
#include <cstdlib>     // std::exit
#include <fstream>     // std::ifstream, std::ofstream
#include <malloc.h>    // malloc_trim
#include <map>         // std::map
#include <string>      // std::string
#include <sys/wait.h>  // waitpid
#include <unistd.h>    // fork, pipe
#include <utility>     // std::move
#include <vector>      // std::vector

/// What Google Benchmark has no word for: aims, plain twins, peak memory, and a table of all three at the
/// end.
namespace bench {

/// What a case should reach; 0 where there is no aim. Counters of the same names carry it into the JSON
/// output.
struct aim {
  double seconds = 0;
  double ratio = 0;  ///< plain twin's time over ours
  double megabytes = 0;

  void tell(benchmark::State& state) const {
    if (seconds > 0) state.counters["aim_s"] = seconds;
    if (ratio > 0) state.counters["aim_ratio"] = ratio;
    if (megabytes > 0) state.counters["aim_MB"] = megabytes;
  }
};

/// Ends the program where an answer is not the plain twin's.
inline void require(bool same, const std::string& sentence) {
  if (same) return;
  std::fprintf(stderr, "%s Nothing was timed.\n", sentence.c_str());
  std::exit(1);
}

/// A line of /proc/self/status in megabytes.
inline double status_megabytes(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) / 1024;
  return 0;
}

/// How far the resident memory rises while `work` runs, in a child process so that nothing freed earlier is
/// there to be used again. `warm_up` touches the library's code and first-use memory, which belong to no
/// case.
template <class WarmUp, class Work>
double peak_megabytes(WarmUp&& warm_up, Work&& work) {
  int ends[2];
  if (pipe(ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    warm_up();
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak starts anew from here
    const double before = status_megabytes("VmRSS");
    work();
    const double rise = status_megabytes("VmHWM") - before;
    _exit(write(ends[1], &rise, sizeof rise) == sizeof rise ? 0 : 1);
  }
  double rise = 0;
  close(ends[1]);
  if (child < 0 || read(ends[0], &rise, sizeof rise) != sizeof rise) rise = 0;
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return rise;
}

/// The console's lines as ever, medians only, then one line a case: its aim, and each plain twin (the cases
/// whose name goes on with "/plain") with the ratio of CPU times.
class aims_reporter : public benchmark::ConsoleReporter {
 public:
  aims_reporter() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median") continue;
      if (run.run_type == Run::RT_Iteration && run.repetitions > 1) continue;
      ConsoleReporter::ReportRuns({run});
      const double unit = benchmark::GetTimeUnitMultiplier(run.time_unit);
      entry e{.place = run.family_index,
              .name = run.run_name.function_name,
              .seconds = run.GetAdjustedRealTime() / unit,
              .cpu = run.GetAdjustedCPUTime() / unit,
              .counters = {}};
      for (const auto& [name, counter] : run.counters) e.counters[name] = counter.value;
      entries_.push_back(std::move(e));
    }
  }

  void Finalize() override {
    ConsoleReporter::Finalize();
    std::sort(entries_.begin(), entries_.end(),
              [](const entry& a, const entry& b) { return a.place < b.place; });
    fmsb::report::table table(
        {"case", "ms", "CPU ms", "aim ms", "plain ms", "ratio", "aim ratio", "peak MB", "aim MB"});
    for (const auto& e : entries_) {
      if (e.name.find("/plain") != std::string::npos || e.name.starts_with("ceiling")) continue;
      bool first = true;
      std::vector<std::string> own{e.name,
                                   number(e.seconds * 1e3),
                                   number(e.cpu * 1e3),
                                   number(e.counter("aim_s") * 1e3),
                                   "",
                                   "",
                                   number(e.counter("aim_ratio")),
                                   number(e.counter("peak_MB")),
                                   number(e.counter("aim_MB"))};
      for (const auto& twin : entries_) {
        if (!twin.name.starts_with(e.name + "/plain")) continue;
        auto row = first ? own : std::vector<std::string>(own.size());
        if (!first) row[0] = "  " + twin.name.substr(e.name.size() + 1);
        row[4] = number(twin.seconds * 1e3);
        row[5] = number(twin.cpu / e.cpu);  // other work on the machine hardly touches CPU time
        table.add(std::move(row));
        first = false;
      }
      if (first) table.add(std::move(own));
    }
    std::fputs(("\n" + table.text()).c_str(), stdout);
  }

 private:
  struct entry {
    std::int64_t place = 0;  // in the order of registration
    std::string name;
    double seconds = 0, cpu = 0;
    std::map<std::string, double> counters;

    double counter(const std::string& which) const {
      const auto at = counters.find(which);
      return at == counters.end() ? 0.0 : at->second;
    }
  };

  // Three digits that count; empty for 0, which stands for "none".
  static std::string number(double value) {
    if (!(value > 0)) return "";
    char text[32];
    std::snprintf(text, sizeof text, value >= 100 ? "%.0f" : "%.3g", value);
    return text;
  }

  std::vector<entry> entries_;
};

}  // namespace bench
