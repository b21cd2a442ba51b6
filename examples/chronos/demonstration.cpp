#include "generated.hpp"  // write_generated_vitals
#include "options.hpp"    // pretrain, finetune

#include <cstdlib>  // std::getenv
#include <string>   // std::string

namespace driver {

namespace {

fs::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return fs::path(cache) / "fmsb";
  const char* home = std::getenv("HOME");
  return (home != nullptr ? fs::path(home) / ".cache" : fs::temp_directory_path()) / "fmsb";
}

/// The intensive-care table where somebody put it, else a generated one.
fs::path vitals(const fs::path& cache) {
  if (const char* data = std::getenv("FMSB_DATA"); data != nullptr)
    if (const auto file = fs::path(data) / "vitals/icu_hourly_a.csv"; fs::exists(file)) return file;
  const auto file = cache / "generated_vitals.csv";
  if (!fs::exists(file)) write_generated_vitals(file, 800, 1);
  return file;
}

}  // namespace

std::string demonstrate(const demonstration_options& wanted) {
  const auto cache = cache_folder();
  fs::create_directories(cache);
  pretrain_options small{.out = cache / "chronos-nano", .size = "nano", .context = 48, .horizon = 8};
  small.generated = small.mixtures = 600;
  small.length = 256;
  small.steps = 1500;
  std::string text;
  if (fs::exists(small.out / "model.safetensors"))
    text = small.out.string() + ": pretrained before; delete the folder to begin anew\n";
  else
    text = pretrain(small);

  finetune_options tuned{.model = small.out, .out = wanted.out};
  tuned.task.series = vitals(cache);
  tuned.task.targets = {"mean_pressure_mmhg"};
  tuned.task.most_windows = 500;
  tuned.steps = 600;
  text += "\n" + finetune(tuned);
  return text + "`chronos --help` tells what else it does, and how with your own data.\n";
}

}  // namespace driver
