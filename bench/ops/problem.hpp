#pragma once
#include "fmsb/core/random_bits.hpp"       // random_bits, unit_interval
#include "fmsb/data/csv.hpp"               // read_csv
#include "fmsb/data/scaling.hpp"           // z_scored
#include "fmsb/data/series.hpp"            // data::series
#include "fmsb/data/splits.hpp"            // data::splits
#include "fmsb/models/ar/horizon_sse.hpp"  // window_grid

#include <cmath>       // std::sin
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <cstdlib>     // std::getenv
#include <filesystem>  // std::filesystem::path
#include <string>      // std::string
#include <vector>      // std::vector

namespace bench {

/// A standardised, split data set, and where it came from.
struct problem {
  std::string name;    ///< "ETTh1"
  std::string source;  ///< the file's name, or words that say that it was made up
  fmsb::data::splits parts;
  std::size_t context = 512;
  std::vector<std::size_t> horizons{96, 720};

  std::size_t longest_order() const { return context - 1; }
  fmsb::ar::window_grid grid(std::size_t horizon) const { return {context, horizon}; }
  /// Train and validation.
  fmsb::data::series known() const { return parts.train.whole().slice(0, parts.validation.last()); }
};

/// Walking levels under a daily cycle, each channel of its own mixture: as long and as wide as a real set,
/// and of like difficulty for arithmetic. The same on every machine.
inline fmsb::data::series made_up(std::size_t channels, std::size_t rows, std::size_t day,
                                  std::uint64_t seed) {
  std::vector<std::string> names;
  std::vector<double> values;
  for (std::size_t c = 0; c < channels; ++c) {
    names.push_back("channel " + std::to_string(c + 1));
    fmsb::random_bits bits(seed, c);
    const auto noise = [&] {
      double sum = -6;
      for (int k = 0; k < 12; ++k) sum += fmsb::unit_interval(bits);
      return sum;
    };
    double level = 0, swing = 0;
    for (std::size_t t = 0; t < rows; ++t) {
      level += 0.03 * noise();
      swing = 0.8 * swing + 0.3 * noise();
      const double angle =
          2 * 3.14159265358979323846 * static_cast<double>(t % day) / static_cast<double>(day);
      values.push_back(level + swing + (0.4 + 0.1 * static_cast<double>(c)) * std::sin(angle));
    }
  }
  return {names, {}, values};
}

/// `$FMSB_DATA`, else ../shared/data beside the project.
inline std::filesystem::path data_folder() {
  if (const char* named = std::getenv("FMSB_DATA")) return named;
  return std::filesystem::path(FMSB_SOURCE_DIR).parent_path() / "shared" / "data";
}

/// A file of the shared time series where it is there, else a made-up series of the same shape.
inline fmsb::data::series load(problem& p, const std::string& file, std::size_t channels, std::size_t rows,
                               std::size_t day) {
  const auto path = data_folder() / "timeseries" / file;
  if (std::filesystem::exists(path)) {
    p.source = file;
    return fmsb::data::read_csv(path, {.times = fmsb::data::time_order::repeats});
  }
  p.source = "made up, seed 1, in the shape of " + file;
  return made_up(channels, rows, day, 1);
}

inline problem with_parts(problem p, const fmsb::data::splits& raw) {
  p.parts = fmsb::data::z_scored(raw);
  return p;
}

inline const fmsb::data::splits& no_parts() {
  static const auto empty = fmsb::data::by_rows({}, 0, 0, 0);
  return empty;
}

inline problem ett_h1() {
  problem p{.name = "ETTh1", .source = {}, .parts = no_parts()};
  const auto x = load(p, "ETTh1.csv", 7, 17420, 24);
  return with_parts(p, fmsb::data::ett_hourly(x));
}

inline problem ett_m1() {
  problem p{.name = "ETTm1", .source = {}, .parts = no_parts()};
  const auto x = load(p, "ETTm1.csv.gz", 7, 69680, 96);
  return with_parts(p, fmsb::data::ett_minutely(x));
}

inline problem weather() {
  problem p{.name = "weather", .source = {}, .parts = no_parts()};
  const auto x = load(p, "weather.csv.gz", 21, 52696, 144);
  return with_parts(p, fmsb::data::by_ratio(x, .7, .1, .2));
}

/// For a run that only shows that everything works.
inline problem small() {
  problem p{.name = "small",
            .source = "made up, seed 1",
            .parts = no_parts(),
            .context = 128,
            .horizons = {24, 48}};
  return with_parts(p, fmsb::data::by_rows(made_up(3, 2400, 24, 1), 1500, 450, 450));
}

}  // namespace bench
