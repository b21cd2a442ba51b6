#include "menu.hpp"             // menu_text
#include "options.hpp"          // options of all commands
#include "program/program.hpp"  // program, CLI11

namespace {

constexpr const char* kAbout =
    "Chronos: forecasts of a pretrained time-series model, and its adaptation to your own series by a few\n"
    "thousand numbers. Models are Hugging Face folders of Chronos-T5, adapters are peft directories.\n"
    "Without a command: makes a small model on generated series (kept in the cache folder), adapts it to "
    "vitals\n"
    "and shows what that gained, in about three minutes.";

constexpr const char* kExamples = R"(Examples:
  chronos
      everything once, with no data of yours: read chronos-demonstration/report.json afterwards
  chronos pretrain --size tiny --out my-tiny --steps 5000
      a model of the size tiny from nothing, on generated series
  chronos forecast --model my-tiny --series sales.csv --horizon 14 --out next.csv --plot next.svg
      two weeks of each column, with quantiles
  chronos finetune --model my-tiny --series vitals.csv --target mean_pressure_mmhg --context 36 --horizon 6
          --adapter fourier_ft --frequencies 100 --on q,v --out run
      2,400 numbers for one ward: patients apart by id, the best checkpoint by validation, scores on test
  chronos evaluate --model my-tiny --adapter run --series vitals.csv --report scores.json
      beside the model as it was, the last value and an autoregression for all patients
  chronos merge --model my-tiny --adapter run --out merged
      one folder without adapters, for Python or for `chronos forecast`

A run that was ended, by a signal or by the machine, goes on when the same command is given again.
Exit codes: 0 done, 2 the command line cannot be carried out, 3 the data cannot be used, 130 or 143 a signal.)";

using namespace driver;

void add_task(CLI::App& to, task_options& o) {
  to.add_option("--series", o.series, "a long table: ids, times, and a column a target")
      ->required()
      ->type_name("FILE");
  to.add_option("--target", o.targets, "columns to forecast (default: all)")
      ->delimiter(',')
      ->type_name("NAME[,NAME...]");
  to.add_option("--id", o.id, "the column of ids (default: the first)")->type_name("NAME");
  to.add_option("--time", o.time, "the column of times (default: the second)")->type_name("NAME");
  to.add_option("--missing", o.missing, "words that mean a gap, beside the empty cell")
      ->delimiter(',')
      ->type_name("WORD[,WORD...]");
  to.add_option("--context", o.context, "rows that a forecast may see (default 36)")->type_name("N");
  to.add_option("--horizon", o.horizon, "rows to forecast (default 6)")->type_name("N");
  to.add_option("--stride", o.stride, "rows from one window to the next (default 1)")->type_name("N");
  to.add_option("--observed", o.observed, "numbers that a context holds at least (default 18)")
      ->type_name("N");
  to.add_option("--observed-horizon", o.observed_horizon, "the same of a horizon (default: all)")
      ->type_name("N");
  to.add_option("--split", o.shares, "shares of ids: train, validation, test (default .7,.1,.2)")
      ->delimiter(',')
      ->expected(3)
      ->type_name("A,B,C");
  to.add_option("--split-seed", o.split_seed, "which id falls to which part (default 1)")->type_name("N");
  to.add_option("--max-windows", o.most_windows, "of the test part, evenly spread (default: all)")
      ->type_name("N");
}

void add_scoring(CLI::App& to, scoring_options& o) {
  to.add_option("--samples", o.samples, "sample paths a forecast (default 20)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--point", o.point, "what mse, mae, mape and dtw look at: median (default) or mean")
      ->check(CLI::IsMember({"median", "mean"}).description(""))
      ->type_name("NAME");
}

CLI::Option* add_model(CLI::App& to, fs::path& model) {
  return to.add_option("--model", model, "a Hugging Face folder of Chronos-T5")->required()->type_name("DIR");
}

void add_pretrain(CLI::App& to, pretrain_options& o) {
  to.add_option("--out", o.out, "the model's folder; a run that was ended goes on from it")
      ->required()
      ->type_name("DIR");
  to.add_option("--size", o.size, "tiny (default) or nano")->type_name("NAME");
  to.add_option("--context", o.context, "values of the past at most (default 128)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--horizon", o.horizon, "steps ahead (default 16)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--series", o.series, "files to learn from besides, a column a series")
      ->delimiter(',')
      ->type_name("FILE[,FILE...]");
  to.add_option("--generated", o.generated, "series from random kernels (default 1000)")->type_name("N");
  to.add_option("--mixtures", o.mixtures, "mixtures of all series (default 1000)")->type_name("N");
  to.add_option("--levels", o.levels, "share of them that stand on a level (default .5)")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("X");
  to.add_option("--length", o.length, "rows of a generated series (default 512)")->type_name("N");
  to.add_option("--steps", o.steps, "batches to learn from (default 2000)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--batch", o.batch, "windows a batch (default 32)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--rate", o.rate, "learning rate, falling to 0 (default 3e-4; nano 3e-3)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("X");
  to.add_option("--blanked", o.blanked, "values that become gaps, up to this share (default .2)")
      ->type_name("X");
  to.add_option("--checkpoint-every", o.checkpoint_every, "steps (default 200)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--seed", o.seed, "of all that is drawn (default 1)")->type_name("N");
}

void add_finetune(CLI::App& to, finetune_options& o) {
  add_model(to, o.model);
  to.add_option("--out", o.out, "the run's folder: adapter, report, plot, checkpoint")
      ->required()
      ->type_name("DIR");
  add_task(to, o.task);
  to.add_option("--adapter", o.adapter.adapter, "`chronos adapters` lists them (default fourier_ft)")
      ->type_name("NAME");
  to.add_option("--rank", o.adapter.rank, "of lora, dora, vera")->type_name("N");
  to.add_option("--frequencies", o.adapter.frequencies, "of fourier_ft")->type_name("N");
  to.add_option("--on", o.adapter.on, "layers, as q,v")->type_name("NAME[,NAME...]");
  to.add_option("--steps", o.steps, "batches to learn from (default 1000)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--batch", o.batch, "windows a batch (default 32)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--rate", o.rate, "learning rate, falling to 0 (default: the adapter's)")->type_name("X");
  to.add_option("--blanked", o.blanked, "values that become gaps, up to this share (default 0)")
      ->type_name("X");
  to.add_option("--validate-every", o.validate_every, "steps, with a checkpoint (default a twentieth)")
      ->type_name("N");
  to.add_option("--validation-windows", o.held_out, "looked at each time (default 512)")->type_name("N");
  to.add_flag("!--only-adapted", o.before, "do not score the model as it was");
  to.add_option("--seed", o.seed, "of training; the forecasts' is fixed (default 1)")->type_name("N");
  add_scoring(to, o.scoring);
}

void add_evaluate(CLI::App& to, evaluate_options& o) {
  add_model(to, o.model);
  to.add_option("--adapter", o.adapters, "peft directories, or runs of finetune")
      ->delimiter(',')
      ->type_name("DIR[,DIR...]");
  add_task(to, o.task);
  to.add_flag("!--only-models", o.baselines, "leave out the last value and Auto-AR");
  to.add_option("--report", o.report, "write everything that was found")->type_name("OUT.json");
  to.add_option("--plot", o.plot, "draw a window of the test part")->type_name("OUT.svg|png|pdf");
  to.add_option("--seed", o.scoring.seed, "of the sample paths (default 1)")->type_name("N");
  add_scoring(to, o.scoring);
}

void add_forecast(CLI::App& to, driver::forecast_options& o) {
  add_model(to, o.model);
  to.add_option("--adapter", o.adapter, "a peft directory, or a run of finetune")->type_name("DIR");
  to.add_option("--series", o.series, "a column a series; with --id a long table of many")
      ->required()
      ->type_name("FILE");
  to.add_option("--id", o.id, "the column of ids of a long table")->type_name("NAME");
  to.add_option("--time", o.time, "the column of times (default: found)")->type_name("NAME");
  to.add_option("--target", o.targets, "columns to forecast (default: all)")
      ->delimiter(',')
      ->type_name("NAME[,NAME...]");
  to.add_option("--missing", o.missing, "words that mean a gap, beside the empty cell")
      ->delimiter(',')
      ->type_name("WORD[,WORD...]");
  to.add_option("--horizon", o.horizon, "rows to forecast (default: as the model was trained for)")
      ->type_name("N");
  to.add_option("--quantiles", o.levels, "levels, rising (default .1,.5,.9)")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("L[,L...]");
  to.add_option("--samples", o.scoring.samples, "sample paths a forecast (default 20)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  to.add_option("--out", o.out, "write the forecasts")->type_name("OUT.csv|json");
  to.add_option("--plot", o.plot, "draw the first four")->type_name("OUT.svg|png|pdf");
  to.add_option("--seed", o.scoring.seed, "of the sample paths (default 1)")->type_name("N");
}

void add_merge(CLI::App& to, merge_options& o, const char* out) {
  add_model(to, o.model);
  to.add_option("--adapter", o.adapter, "a peft directory, or a run of finetune")
      ->required()
      ->type_name("DIR");
  to.add_option("--out", o.out, out)->required()->type_name("DIR");
}

}  // namespace

int main(int count, char** words) {
  pretrain_options pretraining;
  driver::forecast_options forecasting;
  finetune_options finetuning;
  evaluate_options evaluation;
  merge_options merging, exporting;
  demonstration_options demonstration;
  program chronos("chronos", kAbout, kExamples);
  chronos.app()
      .add_option("--out", demonstration.out, "without a command: its folder (default chronos-demonstration)")
      ->type_name("DIR");
  chronos.command(
      "pretrain", "a model of a named size from nothing, on generated series",
      [&](CLI::App& to) { add_pretrain(to, pretraining); }, [&] { return pretrain(pretraining); });
  chronos.command(
      "forecast", "what follows each series: mean and quantiles",
      [&](CLI::App& to) { add_forecast(to, forecasting); }, [&] { return forecast(forecasting); });
  chronos.command(
      "finetune", "adapts a model to many series, patients apart",
      [&](CLI::App& to) { add_finetune(to, finetuning); }, [&] { return finetune(finetuning); });
  chronos.command(
      "evaluate", "a model, its adapters and the baselines on the same windows",
      [&](CLI::App& to) { add_evaluate(to, evaluation); }, [&] { return evaluate(evaluation); });
  chronos.command(
      "merge", "model and adapter as one plain Hugging Face folder",
      [&](CLI::App& to) { add_merge(to, merging, "the new model's folder"); },
      [&] { return merge(merging); });
  chronos.command(
      "export", "the adapter of a run, checked against the model, as a directory for Python's peft",
      [&](CLI::App& to) { add_merge(to, exporting, "the new peft directory"); },
      [&] { return export_adapter(exporting); });
  chronos.command(
      "adapters", "the menu: what finetune can train, and how many numbers that are", [](CLI::App&) {},
      menu_text);
  return chronos.run(count, words, [&] { return demonstrate(demonstration); });
}
