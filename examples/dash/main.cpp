#include "menu.hpp"             // menu_text
#include "options.hpp"          // options of all commands
#include "program/program.hpp"  // program, CLI11

#include <string>       // std::string
#include <type_traits>  // std::is_floating_point_v
#include <vector>       // std::vector

namespace {

constexpr const char* kAbout =
    "DASH: finds, for your sequences or images, the kernel size and dilation of every convolution of a\n"
    "backbone, trains what it found, and shows it beside the plain backbone and beside classifiers that "
    "cost\n"
    "seconds. Without a command: all of that once, in a few minutes, on Fashion-MNIST where Debian's "
    "package\n"
    "dataset-fashion-mnist is installed, else on generated DNA.";

constexpr const char* kExamples =
    R"(Examples:
  dash
      everything once, with no data of yours: read dash-demonstration/report.json afterwards
  dash search --task genomics --train promoters.csv --test held_out.csv --out run
      a table with the columns sequence and label; a tenth of train is held out for validation
  dash search --task genomics --train enhancer=yes.fa,other=no.fa --out run
      FASTA, a file a class; a fifth of each class is held out for the test
  dash search --task images --train photos.safetensors --epochs 20 --out run
      tensors images [n, channels, height, width], labels [n] and, if there is one, split [n]
  dash train --run run --seeds 3
      trains what was found, three times, and scores it on the test part beside the floors
  dash train --run run --plain --seeds 3
      the same for the backbone as it is: was the search worth it?
  dash show --run run
      the layers, the scores, and a C++ header in which the network is a constant

What is written:
  search  run.json, found.hpp, trace.svg, entropy.svg, architecture.svg, log.jsonl, report.json and
          search.checkpoint
  train   found-seedN.safetensors or plain-seedN.safetensors (weights), .jsonl (log); adds to report.json
  show    architecture.svg

A run that was ended, by a signal or by the machine, goes on when the same command is given again.
Exit codes: 0 done, 2 the command line cannot be carried out, 3 the data cannot be used, 130 or 143 a signal.)";

using namespace driver;

template <class Number>
CLI::Option* add_positive(CLI::App& to, const char* name, Number& value, const std::string& about) {
  return to.add_option(name, value, about)
      ->check(CLI::PositiveNumber.description(""))
      ->type_name(std::is_floating_point_v<Number> ? "X" : "N");
}

void add_data(CLI::App& to, data_options& o) {
  const auto files = [&](const char* name, std::vector<std::string>& into, const char* about) {
    return to.add_option(name, into, about)->delimiter(',')->type_name("FILE[,FILE...]");
  };
  to.add_option("--task", o.task, "genomics, images or arrays (a few pixels or numbers wide)")
      ->required()
      ->check(CLI::IsMember({"genomics", "images", "arrays"}).description(""))
      ->type_name("NAME");
  files("--train", o.train,
        "sequences: CSV, FASTA as class=file, UCI splice; images: safetensors, a folder of "
        "IDX files, Statlog")
      ->required();
  files("--test", o.test, "default: the file's own test part, else a share of train");
  files("--validation", o.validation, "default: a tenth of train");
  to.add_option("--format", o.format,
                "csv, fasta, splice, safetensors, idx or statlog (default: by the name)")
      ->check(CLI::IsMember({"csv", "fasta", "splice", "safetensors", "idx", "statlog"}).description(""))
      ->type_name("NAME");
  to.add_option("--split", o.shares,
                "where there is no test part: shares of train, validation, test (default .7,.1,.2)")
      ->delimiter(',')
      ->expected(3)
      ->type_name("A,B,C");
  to.add_option("--split-seed", o.split_seed, "which example falls to which part (default 1)")
      ->type_name("N");
  to.add_option("--sequence-column", o.sequence_column, "of a CSV file (default sequence)")
      ->type_name("NAME");
  to.add_option("--label-column", o.label_column, "of a CSV file (default label)")->type_name("NAME");
  to.add_option("--fit", o.fit, "sequences of unequal length: exact refuses (default), pad, centre")
      ->check(CLI::IsMember({"exact", "pad", "centre"}).description(""))
      ->type_name("NAME");
  to.add_flag("--any-letter", o.any_letter, "read letters that stand for no nucleotide as N");
  to.add_option("--max-train", o.most, "examples of train, drawn by class (default: all)")->type_name("N");
}

/// Stands before the options that it sets, which are read in the order in which they are declared: what is
/// given by name wins over the preset.
template <class Wishes>
void add_preset(CLI::App& to, Wishes& wishes, Wishes (*released)()) {
  to.add_option_function<std::string>(
        "--preset",
        [&wishes, released](const std::string& name) { wishes = name == "released" ? released() : Wishes(); },
        "fmsb (default), or released: as in the program published with DASH")
      ->check(CLI::IsMember({"fmsb", "released"}).description(""))
      ->type_name("NAME");
}

template <class Wishes>
void add_examples_options(CLI::App& to, Wishes& wishes) {
  to.add_flag("--equal-classes", wishes.equal_classes, "rare classes count as much as frequent ones");
  to.add_option("--label-smoothing", wishes.label_smoothing,
                "share of a label that goes to all classes (default 0)")
      ->check(CLI::Range(0.0, 0.5).description(""))
      ->type_name("X");
  to.add_option("--augment", wishes.augment,
                "reverse-complement, mirror, shift=N, hide=X, each example by a draw of its own")
      ->delimiter(',')
      ->type_name("NAME[,NAME...]");
}

void add_search(CLI::App& to, search_command& o) {
  add_data(to, o.data);
  to.add_option("--out", o.out, "the run's folder; a run that was ended goes on from it")
      ->required()
      ->type_name("DIR");
  to.add_option("--space", o.network.space, "what may stand in a place: `dash networks` lists them")
      ->type_name("NAME");
  to.add_option("--backbone", o.network.backbone, "`dash networks` lists them (default wrn)")
      ->type_name("NAME");
  to.add_option("--width", o.network.width, "channels of the first block, of those compiled in")
      ->type_name("N");
  to.add_option("--depth", o.network.depth, "convolutions, of those compiled in")->type_name("N");
  add_preset(to, o.wishes, released_search);
  add_positive(to, "--epochs", o.wishes.epochs, "of the search (default 40, released 100)");
  add_positive(to, "--share", o.wishes.share,
               "of an epoch's batches that a search epoch sees (default .5, released .2)");
  add_positive(to, "--batch", o.wishes.batch, "examples a step (default 128)");
  add_positive(to, "--rate", o.wishes.rate, "learning rate of weights (default .1)");
  add_positive(to, "--arch-rate", o.wishes.arch_rate, "learning rate of the architecture (default .05)");
  add_positive(to, "--last-temperature", o.wishes.last_temperature,
               "of the draw among convolutions, falling from 1 (default 1)");
  to.add_option("--field-penalty", o.wishes.field_penalty,
                "on wide convolutions (default .001, released .00001)")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("X");
  to.add_flag("--alpha-from-validation", o.wishes.alpha_from_validation,
              "held-out examples move the architecture; a step takes twice as long");
  add_positive(to, "--candidates", o.wishes.candidates,
               "likeliest networks that validation chooses among (default 1)");
  add_examples_options(to, o.wishes);
  to.add_option("--seed", o.wishes.seed, "of all that is drawn (default 1)")->type_name("N");
}

CLI::Option* add_run(CLI::App& to, fs::path& run) {
  return to.add_option("--run", run, "the folder that `dash search --out` wrote")
      ->required()
      ->type_name("DIR");
}

void add_train(CLI::App& to, train_command& o) {
  add_run(to, o.run);
  to.add_flag("--plain", o.plain, "the backbone with its own kernels in place of what was found");
  add_preset(to, o.wishes, released_training);
  add_positive(to, "--epochs", o.wishes.epochs, "the best by validation is kept (default 30, released 200)");
  add_positive(to, "--batch", o.wishes.batch, "examples a step (default 128)");
  add_positive(to, "--rate", o.wishes.rate, "learning rate (default .1)");
  to.add_option("--dropout", o.wishes.dropout, "rate (default 0)")
      ->check(CLI::Range(0.0, 0.95).description(""))
      ->type_name("X");
  to.add_option("--weight-decay", o.wishes.weight_decay, "of all parameters (default .0005)")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("X");
  add_examples_options(to, o.wishes);
  add_positive(to, "--seeds", o.seeds, "networks to train, for a mean and its spread (default 1)");
  to.add_flag("!--no-floors", o.floors, "leave out the classifiers that cost seconds");
}

}  // namespace

int main(int count, char** words) {
  search_command searching;
  train_command training;
  show_command showing;
  demonstration_command demonstration;
  program dash("dash", kAbout, kExamples);
  dash.app()
      .add_option("--out", demonstration.out, "without a command: its folder (default dash-demonstration)")
      ->type_name("DIR");
  dash.command(
      "search", "finds kernel size and dilation of every convolution",
      [&](CLI::App& to) { add_search(to, searching); }, [&] { return search(searching); });
  dash.command(
      "train", "trains what was found, or the plain backbone, and scores it on the test part",
      [&](CLI::App& to) { add_train(to, training); }, [&] { return train(training); });
  dash.command(
      "show", "what was found as a table, a drawing and a C++ header",
      [&](CLI::App& to) { add_run(to, showing.run); }, [&] { return show(showing); });
  dash.command(
      "networks", "the menu: what can be searched", [](CLI::App&) {}, menu_text);
  return dash.run(count, words, [&] { return demonstrate(demonstration); });
}
