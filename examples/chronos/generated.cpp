#include "generated.hpp"

#include "fmsb/core/random_bits.hpp"             // random_bits
#include "fmsb/data/mixup.hpp"                   // mixup
#include "fmsb/data/random_draws.hpp"            // draw_normal
#include "fmsb/data/scaling.hpp"                 // z_score
#include "fmsb/models/chronos/kernel_synth.hpp"  // kernel_synth
#include "fmsb/report/atomic_file.hpp"           // write_atomically
#include "fmsb/report/progress.hpp"              // progress
#include "fmsb/report/table.hpp"                 // fixed

#include <algorithm>  // std::min, std::max
#include <cmath>      // std::pow, std::sin
#include <numbers>    // std::numbers::pi
#include <ostream>    // std::ostream
#include <string>     // std::string

namespace driver {

namespace {

using namespace fmsb;

/// One vital sign of one patient, hour by hour.
class vital_sign {
 public:
  vital_sign(random_bits& bits, double level, double between, double within)
      : bits_(&bits),
        level_(level + between * data::draw_normal(bits)),
        within_(within),
        now_(data::draw_normal(bits)) {}

  /// @param pull  what an episode adds
  double next(std::size_t hour, double pull) {
    now_ = 0.8 * now_ + 0.6 * data::draw_normal(*bits_);
    const double day = 0.6 * std::sin(2 * std::numbers::pi * (static_cast<double>(hour) - 9) / 24);
    return std::max(1.0, level_ + within_ * (now_ + day + pull));
  }

 private:
  random_bits* bits_;
  double level_, within_, now_;
};

void write_patient(std::ostream& out, std::size_t number, std::uint64_t seed) {
  random_bits bits(seed, number);
  vital_sign heart(bits, 86, 13, 6), pressure(bits, 78, 9, 6);
  double episode = 0;
  for (std::size_t hour = 0; hour < 48; ++hour) {
    episode = unit_interval(bits) < 0.02 ? 3 : 0.85 * episode;
    const double rate = heart.next(hour, episode), mean = pressure.next(hour, -episode);
    const bool seen = hour > 0 && unit_interval(bits) > 0.04;
    out << 100000 + number << ',' << hour << ',' << (seen ? report::fixed(rate, 0) : "") << ','
        << (seen && unit_interval(bits) > 0.05 ? report::fixed(mean, 1) : "") << '\n';
  }
}

/// The series on a level of 2 to 40 of its own deviations. What a random kernel draws swings about zero, and
/// fills all bins once it is divided by its mean size; what people measure mostly stands on a level, and
/// moves within a few.
data::series on_level(const data::series& x, random_bits& bits) {
  const double level = 2 * std::pow(20.0, unit_interval(bits));
  return data::z_score{.mean = {level}, .deviation = {1}}.invert(data::z_score::fit(x).apply(x));
}

}  // namespace

std::vector<data::series> training_series(std::vector<data::series> given, const generated_options& how) {
  auto all = std::move(given);
  report::progress line("generating series", how.kernels + how.mixtures);
  const auto length = static_cast<index_t>(how.length);
  const chronos::kernel_synth kernels({.length = length, .seed = how.seed},
                                      chronos::rough_kernel_bank(length));
  for (std::size_t i = 0; i < how.kernels; ++i) {
    random_bits bits(how.seed, i);
    const auto drawn = kernels.draw(i);
    all.push_back(unit_interval(bits) < how.levels ? on_level(drawn, bits) : drawn);
    line.advance();
  }
  if (how.mixtures == 0) return all;
  const data::mixup mix(
      all, {.shortest = std::min<std::size_t>(128, how.length), .longest = how.length, .seed = how.seed});
  for (std::size_t i = 0; i < how.mixtures; ++i) {
    all.push_back(mix.draw(i));
    line.advance();
  }
  return all;
}

void write_generated_vitals(const std::filesystem::path& file, std::size_t patients, std::uint64_t seed) {
  report::write_atomically(file, [&](std::ostream& out) {
    out << "patient,hour,heart_rate_bpm,mean_pressure_mmhg\n";
    for (std::size_t i = 0; i < patients; ++i) write_patient(out, i, seed);
  });
}

}  // namespace driver
