#include "fmsb/core/error.hpp"    // usage_error
#include "fmsb/core/version.hpp"  // version

#include "options.hpp"  // options, run

#include <CLI/CLI.hpp>

#include <cstdio>     // std::fputs
#include <exception>  // std::exception
#include <string>     // std::string

namespace {

constexpr int kUsage = 2, kData = 3;

constexpr const char* kAbout =
    "Adapters: how few numbers must be trained to move a model to new data? Pretrains a small network on "
    "all\n"
    "columns of a CSV file but one, freezes it, and adapts it to the last one by every method, on few rows.\n"
    "Each adapter is merged into the plain network afterwards, whose forecasts must be the same.";

constexpr const char* kExamples = R"(Examples:
  adapters --csv ETTh1.csv --target OT
      oil temperature, from a network that has seen the six loads of the transformer
  adapters --csv ETTh1.csv --target OT --rows 500 --only lora,fourier_ft --tree
      two methods on three weeks of data, with the adapted networks' trees
  adapters --csv ETTh1.csv --target OT --save adapters
      one folder a method, which Python's peft reads (it has no file for bitfit)

Errors are mean squares in standard deviations of the rows that were trained on, 96 rows to the next 24.
Exit codes: 0 done, 2 the command line cannot be carried out, 3 the data cannot be used.)";

int fail(const std::exception& problem, int code) {
  std::fputs(("adapters: " + std::string(problem.what()) + "\n").c_str(), stderr);
  return code;
}

}  // namespace

int main(int count, char** words) {
  adapters::options wanted;
  CLI::App app(kAbout, "adapters");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string(fmsb::version));
  app.add_option("--csv", wanted.csv, "the data: .csv or .csv.gz, a time column and two columns or more")
      ->required()
      ->type_name("FILE");
  app.add_option("--target", wanted.target, "the column to adapt to (default: the last)")
      ->type_name("COLUMN");
  app.add_option("--rows", wanted.rows, "rows of it to train on (default 1000)")->type_name("N");
  app.add_option("--only", wanted.only,
                 "these methods: lora, dora, vera, fourier_ft, ia3, bitfit, norm_tuning, full")
      ->delimiter(',')
      ->check(CLI::IsMember({"lora", "dora", "vera", "fourier_ft", "ia3", "bitfit", "norm_tuning", "full"})
                  .description(""))
      ->type_name("NAME[,NAME...]");
  app.add_option("--pretraining-steps", wanted.pretraining_steps, "batches of 64 windows (default 1500)")
      ->type_name("N");
  app.add_option("--steps", wanted.steps, "batches to adapt on (default 300)")->type_name("N");
  app.add_option("--seed", wanted.seed, "of all that is drawn (default 1)")->type_name("N");
  app.add_option("--save", wanted.save, "a folder for the adapters in peft's format")->type_name("DIR");
  app.add_flag("--tree", wanted.tree, "print the adapted networks");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& stop) {
    return stop.get_exit_code() == 0 ? app.exit(stop) : (app.exit(stop), kUsage);
  }
  try {
    std::fputs(adapters::run(wanted).c_str(), stdout);
  } catch (const fmsb::usage_error& problem) {
    return fail(problem, kUsage);
  } catch (const std::exception& problem) { return fail(problem, kData); }
}
