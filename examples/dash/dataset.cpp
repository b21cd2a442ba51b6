#include "dataset.hpp"

#include "fmsb/core/error.hpp"          // usage_error, data_error
#include "fmsb/core/fingerprint.hpp"    // hash_of, hash_text
#include "fmsb/data/channel_scale.hpp"  // channel_scale
#include "fmsb/data/duplicates.hpp"     // duplicates
#include "fmsb/data/fasta.hpp"          // read_fasta_classes
#include "fmsb/data/idx.hpp"            // read_idx_folder
#include "fmsb/data/image_arrays.hpp"   // read_image_splits, read_image_arrays
#include "fmsb/data/nucleotides.hpp"    // bases_of
#include "fmsb/data/one_hot.hpp"        // one_hot_counted
#include "fmsb/data/sequence_csv.hpp"   // read_sequence_csv
#include "fmsb/data/splice.hpp"         // read_splice
#include "fmsb/data/statlog.hpp"        // read_statlog
#include "fmsb/report/table.hpp"        // grouped, fixed

#include <algorithm>    // std::find, std::sort
#include <cmath>        // std::abs
#include <map>          // std::map
#include <numeric>      // std::accumulate
#include <optional>     // std::optional
#include <string_view>  // std::string_view
#include <utility>      // std::move

namespace driver {

namespace {

using namespace fmsb;
using data::labelled_set;
using report::grouped;

std::string path_of(const std::string& word) {
  const auto sign = word.find('=');
  return sign == std::string::npos ? word : word.substr(sign + 1);
}

/// What the files are called in tables and checkpoints: the same from whatever folder the program is started.
std::string shown_name(const std::vector<std::string>& words) {
  std::string name;
  for (const auto& word : words) {
    auto path = fs::path(path_of(word));
    if (!path.has_filename()) path = path.parent_path();
    name += (name.empty() ? "" : " + ") + path.filename().string();
  }
  return name;
}

std::string format_of(const data_options& wanted) {
  if (!wanted.format.empty()) return wanted.format;
  const auto& word = wanted.train.front();
  const fs::path path = path_of(word);
  std::string end = path.extension().string();
  if (end == ".gz") end = path.stem().extension().string();
  static const std::map<std::string, std::string> known{
      {".csv", "csv"},   {".tsv", "csv"},     {".fa", "fasta"},    {".fasta", "fasta"},
      {".fna", "fasta"}, {".data", "splice"}, {".trn", "statlog"}, {".safetensors", "safetensors"}};
  if (fs::is_directory(path)) return "idx";
  if (const auto place = known.find(end); place != known.end()) return place->second;
  throw usage_error("--train " + word +
                    ": the name does not tell what the file is; give --format csv, fasta, "
                    "splice, safetensors, idx or statlog.");
}

const std::string& only(const std::vector<std::string>& words, const char* option) {
  if (words.size() != 1)
    throw usage_error(std::string(option) +
                      " takes one file here; several are read for FASTA alone, one a "
                      "class, as name=file.fa,other=file.fa.");
  return words.front();
}

/// The same examples with labels that count the classes of another part.
labelled_set with_classes_of(const labelled_set& like, const labelled_set& given, const std::string& name) {
  std::vector<int> number;
  for (const auto& one : given.classes()) {
    const auto place = std::find(like.classes().begin(), like.classes().end(), one);
    if (place == like.classes().end() && given.counts()[number.size()] > 0)
      throw data_error(given.name() + " has the class \"" + one + "\", which " + like.name() + " has not.");
    number.push_back(place == like.classes().end() ? 0 : static_cast<int>(place - like.classes().begin()));
  }
  std::vector<int> labels;
  for (const int label : given.labels()) labels.push_back(number[static_cast<std::size_t>(label)]);
  return {
      name, given.shape(), {given.values().begin(), given.values().end()}, std::move(labels), like.classes()};
}

data::sequences read_sequences(const std::vector<std::string>& words, const char* option,
                               const std::string& format, const data_options& wanted,
                               std::vector<std::string> classes) {
  if (format == "splice") return data::read_splice(only(words, option));
  if (format == "csv") {
    const auto& file = only(words, option);
    return data::read_sequence_csv(file, {.sequence_column = wanted.sequence_column,
                                          .label_column = wanted.label_column,
                                          .classes = std::move(classes),
                                          .delimiter = file.find(".tsv") != std::string::npos ? '\t' : ','});
  }
  std::vector<data::class_file> files;
  for (const auto& word : words) {
    const auto sign = word.find('=');
    if (sign == std::string::npos || sign == 0)
      throw usage_error(std::string(option) + " " + word +
                        ": a FASTA file holds one class; name it, as in enhancer=a.fa,other=b.fa.");
    files.push_back({word.substr(0, sign), word.substr(sign + 1)});
  }
  return data::read_fasta_classes(files);
}

void require_letters(const data::sequences& all, const data_options& wanted, std::size_t length) {
  if (wanted.fit == "exact" && (all.shortest() != all.longest() || (length > 0 && all.longest() != length)))
    throw data_error(
        all.name() + " has sequences of " + std::to_string(all.shortest()) + " to " +
        std::to_string(all.longest()) + " letters" +
        (length > 0 ? ", the training part of " + std::to_string(length) : std::string()) +
        "; a network takes one length. Give --fit pad to put zeros behind shorter ones, or --fit "
        "centre to put them on both sides and cut longer ones.");
  if (wanted.any_letter) return;
  for (const auto& one : all)
    for (std::size_t i = 0; i < one.text.size(); ++i)
      if (data::bases_of(one.text[i]) == 0)
        throw data_error(one.place + ", position " + std::to_string(i + 1) + ": '" + one.text[i] +
                         "' stands for no nucleotide; correct it, or give --any-letter to read it as N.");
}

struct letter_counts {
  std::size_t all = 0, any = 0, ambiguous = 0, padded = 0, cut = 0;

  std::string text() const {
    std::string out;
    const auto add = [&](std::size_t count, const char* what) {
      if (count > 0) out += (out.empty() ? "" : ", ") + grouped(count) + " " + what;
    };
    add(any, "letters N");
    add(ambiguous, "letters for two or three bases");
    add(padded, "sequences padded");
    add(cut, "sequences cut");
    return out;
  }
};

labelled_set encoded(const data::sequences& all, const data_options& wanted, std::size_t length,
                     letter_counts& counts) {
  require_letters(all, wanted, length);
  const auto fit = wanted.fit == "pad"      ? data::fitting::pad
                   : wanted.fit == "centre" ? data::fitting::centre
                                            : data::fitting::exact;
  auto made = data::one_hot_counted(
      all, {.unknown = wanted.any_letter ? data::unknown_letters::as_any : data::unknown_letters::refuse,
            .fit = fit,
            .length = length});
  counts.all += made.letters;
  counts.any += made.any;
  counts.ambiguous += made.ambiguous;
  counts.padded += made.padded;
  counts.cut += made.cut;
  return made.examples;
}

/// What the files hold, before anything is held out.
struct contents {
  labelled_set train;
  std::optional<labelled_set> validation, test;
  std::string letters{};
};

contents read_genomics(const data_options& wanted, const std::string& format) {
  letter_counts counts;
  const auto train = read_sequences(wanted.train, "--train", format, wanted, {});
  contents out{encoded(train, wanted, 0, counts), {}, {}, {}};
  const auto more = [&](const std::vector<std::string>& words, const char* option) {
    const auto classes = format == "csv" ? train.classes() : std::vector<std::string>();
    return encoded(read_sequences(words, option, format, wanted, classes), wanted, out.train.shape()[1],
                   counts);
  };
  if (!wanted.validation.empty()) out.validation = more(wanted.validation, "--validation");
  if (!wanted.test.empty()) out.test = more(wanted.test, "--test");
  out.letters = counts.text();
  return out;
}

contents read_arrays(const data_options& wanted, const std::string& format) {
  const auto one = [&](const std::vector<std::string>& words, const char* option) {
    return format == "statlog" ? data::read_statlog(only(words, option))
                               : data::read_image_arrays(only(words, option));
  };
  const auto& file = only(wanted.train, "--train");
  const bool divided = format == "idx" || (format == "safetensors" && wanted.test.empty() &&
                                           data::open_safetensors(file).contains("split"));
  std::optional<contents> out;
  if (divided) {
    if (!wanted.test.empty())
      throw usage_error("--test: " + file + " has a test part of its own; leave one of them out.");
    const auto parts = format == "idx" ? data::read_idx_folder(file) : data::read_image_splits(file);
    out = contents{parts.train.members(), {}, parts.test.members(), {}};
  } else {
    out = contents{one(wanted.train, "--train"), {}, {}, {}};
    if (!wanted.test.empty()) out->test = one(wanted.test, "--test");
  }
  if (!wanted.validation.empty()) {
    if (format == "idx") throw usage_error("--validation takes no IDX folder; a tenth of train is held out.");
    out->validation = one(wanted.validation, "--validation");
  }
  for (const auto* more : {&out->validation, &out->test})
    if (more->has_value() && (*more)->shape() != out->train.shape())
      throw data_error((*more)->name() + " holds arrays of another shape than " + out->train.name() + ".");
  return *out;
}

std::vector<double> shares_of(const data_options& wanted) {
  auto shares = wanted.shares.empty() ? std::vector{.7, .1, .2} : wanted.shares;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (shares.size() != 3 || std::abs(sum - 1) > 1e-6 ||
      std::any_of(shares.begin(), shares.end(), [](double s) { return !(s > 0); }))
    throw usage_error(
        "--split takes three positive shares that sum to 1, of train, validation and test, such "
        "as .7,.1,.2.");
  return shares;
}

std::string checksum_of(const labelled_set& all) {
  const auto bytes_of = [](const auto& numbers) {
    return std::string_view(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  };
  return hash_text(hash_of(bytes_of(all.values())) ^ (hash_of(bytes_of(all.labels())) << 1));
}

std::string kind_of(const labelled_set& of, bool genomics) {
  std::string extents;
  for (const auto extent : of.shape()) extents += (extents.empty() ? "" : " x ") + std::to_string(extent);
  return genomics ? "sequences of " + std::to_string(of.shape()[1]) + " letters" : "arrays of " + extents;
}

}  // namespace

dataset read_dataset(const data_options& wanted) {
  const bool genomics = wanted.task == "genomics";
  const auto format = format_of(wanted);
  const bool of_letters = format == "csv" || format == "fasta" || format == "splice";
  if (of_letters != genomics)
    throw usage_error(
        "--task " + wanted.task + " reads no " + format + "; " +
        (genomics ? "it takes csv, fasta or splice." : "it takes safetensors, idx or statlog."));
  const auto held = genomics ? read_genomics(wanted, format) : read_arrays(wanted, format);
  if (held.test && !wanted.shares.empty())
    throw usage_error("--split: the data have a test part already; leave the option out.");

  const auto name = shown_name(wanted.train);
  data::train_examples train(with_classes_of(held.train, held.train, name));
  if (train.members().classes_count() < 2)
    throw data_error(held.train.name() + " has a single class, \"" + train.members().classes().at(0) +
                     "\": there is nothing to tell apart.");
  const auto as_part = [&](const labelled_set& set) { return with_classes_of(train.members(), set, name); };

  std::string parts;
  std::optional<data::test_examples> test;
  double validation_share = 0.1;
  if (held.test) {
    test.emplace(as_part(*held.test));
  } else {
    const auto shares = shares_of(wanted);
    auto [most, taken] = data::hold_out(train, shares[2], wanted.split_seed);
    train = most;
    test.emplace(taken.members());
    validation_share = shares[1] / (shares[0] + shares[1]);
    parts = "test is a share of " + report::fixed(shares[2], 2) + " of each class, held out by seed " +
            std::to_string(wanted.split_seed);
  }
  if (wanted.most > 0 && wanted.most < train.size())
    train = data::train_examples(
        data::hold_out(train, static_cast<double>(wanted.most) / static_cast<double>(train.size()),
                       wanted.split_seed + 2)
            .second.members());
  std::optional<data::validation_examples> validation;
  if (held.validation) {
    validation.emplace(as_part(*held.validation));
  } else {
    auto [most, taken] = data::hold_out(train, validation_share, wanted.split_seed + 1);
    train = most;
    validation.emplace(taken);
  }

  std::vector<bool> copied(test->size());
  for (const auto& copy : data::duplicates(test->members(), train.members())) copied[copy.copy] = true;
  for (const auto& copy : data::duplicates(test->members(), validation->members())) copied[copy.copy] = true;
  dataset out{.name = name,
              .kind = kind_of(train.members(), genomics),
              .parts = std::move(parts),
              .train = train,
              .validation = *validation,
              .test = *test,
              .letters = held.letters};
  for (std::size_t i = 0; i < copied.size(); ++i)
    if (!copied[i]) out.clean.push_back(i);
  out.repeated = data::duplicates(train.members()).size();
  if (!genomics) {
    const auto scale = data::channel_scale::fit(out.train);
    out.validation = scale.apply(out.validation);
    out.test = scale.apply(out.test);
    out.train = scale.apply(out.train);
  }
  out.checksum = checksum_of(out.train.members()) + checksum_of(out.validation.members()) +
                 checksum_of(out.test.members());
  return out;
}

std::string dataset::text() const {
  const auto& all = train.members();
  std::string out = name + "  " + grouped(train.size()) + " train, " + grouped(validation.size()) +
                    " validation and " + grouped(test.size()) + " test " + kind + ", " +
                    std::to_string(all.classes_count()) + " classes";
  const auto counts = test.members().counts();
  out += " (test";
  for (std::size_t c = 0; c < counts.size() && c < 12; ++c)
    out += (c == 0 ? " " : ", ") + all.classes()[c] + " " + grouped(counts[c]);
  out += counts.size() > 12 ? ", ...)\n" : ")\n";
  if (!parts.empty()) out += parts + "\n";
  if (!letters.empty()) out += letters + "\n";
  if (repeated > 0) out += grouped(repeated) + " of train equal an earlier one of train\n";
  if (copies() > 0)
    out += grouped(copies()) + " of test stand in train or validation, too: scores are of all, and of the " +
           grouped(clean.size()) + " that do not\n";
  return out;
}

report::json dataset::to_json() const {
  report::json out{{"name", name}, {"kind", kind}, {"shape", train.members().shape()}};
  out["classes"] = train.members().classes();
  const auto count = [](const auto& part) {
    return report::json{{"examples", part.size()}, {"by_class", part.members().counts()}};
  };
  out["train"] = count(train);
  out["validation"] = count(validation);
  out["test"] = count(test);
  if (!parts.empty()) out["parts"] = parts;
  if (!letters.empty()) out["letters"] = letters;
  out["copies"] = {{"within_train", repeated}, {"of_test_in_train_or_validation", copies()}};
  out["checksum"] = checksum;
  return out;
}

}  // namespace driver
