#include "run_folder.hpp"

#include "fmsb/core/error.hpp"    // usage_error, data_error
#include "fmsb/core/version.hpp"  // version

#include <fstream>  // std::ifstream

namespace driver {

namespace {

using namespace fmsb;

std::vector<std::string> absolute(std::vector<std::string> words) {
  for (auto& word : words) {
    const auto sign = word.find('=');
    const auto begin = sign == std::string::npos ? 0 : sign + 1;
    word = word.substr(0, begin) + fs::absolute(word.substr(begin)).lexically_normal().string();
  }
  return words;
}

report::json to_json(const data_options& of) {
  report::json out{{"task", of.task}};
  out["train"] = absolute(of.train);
  out["test"] = absolute(of.test);
  out["validation"] = absolute(of.validation);
  out["format"] = of.format;
  out["split"] = of.shares;
  out["split_seed"] = of.split_seed;
  out["columns"] = {of.sequence_column, of.label_column};
  out["fit"] = of.fit;
  out["any_letter"] = of.any_letter;
  out["most"] = of.most;
  return out;
}

data_options data_from(const report::json& from) {
  data_options out{.task = from.at("task"),
                   .train = from.at("train"),
                   .test = from.at("test"),
                   .validation = from.at("validation"),
                   .format = from.at("format"),
                   .shares = from.at("split")};
  out.split_seed = from.at("split_seed");
  out.sequence_column = from.at("columns").at(0);
  out.label_column = from.at("columns").at(1);
  out.fit = from.at("fit");
  out.any_letter = from.at("any_letter");
  out.most = from.at("most");
  return out;
}

report::json description(const search_command& of, const dataset& examples) {
  report::json out{{"program", {{"name", "dash"}, {"version", version}}}};
  out["data"] = to_json(of.data);
  out["checksum"] = examples.checksum;
  out["network"] = {{"backbone", of.network.backbone},
                    {"space", of.network.space},
                    {"depth", of.network.depth},
                    {"width", of.network.width}};
  out["search"] = to_json(of.wishes);
  return out;
}

report::json read(const fs::path& file) {
  std::ifstream in(file);
  auto out = report::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!in || !out.is_object()) throw data_error(file.string() + " cannot be read as JSON; was it changed?");
  return out;
}

report::json report_of(const fs::path& folder) {
  return fs::exists(folder / "report.json") ? read(folder / "report.json") : report::json::object();
}

}  // namespace

void run_folder::write_report() const { report::write_json(folder / "report.json", report); }

run_folder begin_run(const search_command& wanted, const dataset& of) {
  // As it is read back from the file: numbers must compare equal.
  const auto described = report::json::parse(report::to_text(description(wanted, of)));
  const auto file = wanted.out / "run.json";
  if (fs::exists(file)) {
    const auto there = read(file);
    for (const char* part : {"data", "checksum", "network", "search"})
      if (!there.contains(part) || there.at(part) != described.at(part))
        throw usage_error(
            wanted.out.string() + " holds a run whose " + part + (part[0] == 'c' ? " of the data" : "") +
            " differ" + (part[0] == 'd' ? "" : "s") +
            "; it goes on with the same command only. Give another --out, or delete the folder.");
  } else {
    fs::create_directories(wanted.out);
    report::write_json(file, described);
  }
  return {wanted.out, wanted, described, report_of(wanted.out)};
}

run_folder open_run(const fs::path& folder) {
  if (!fs::exists(folder / "run.json"))
    throw data_error(folder.string() +
                     " holds no run.json; --run is the folder that `dash search --out` wrote.");
  run_folder out{folder, {}, read(folder / "run.json"), report_of(folder)};
  try {
    out.search.data = data_from(out.described.at("data"));
    const auto& network = out.described.at("network");
    out.search.network = {.space = network.at("space"),
                          .backbone = network.at("backbone"),
                          .width = network.at("width"),
                          .depth = network.at("depth")};
    out.search.wishes.seed = out.described.at("search").at("seed");
    out.search.wishes.equal_classes = out.described.at("search").at("equal_classes");
  } catch (const report::json::exception& problem) {
    throw data_error((folder / "run.json").string() +
                     " is not as `dash search` writes it: " + problem.what());
  }
  out.search.out = folder;
  return out;
}

dataset data_of(const run_folder& run) {
  auto out = read_dataset(run.search.data);
  if (out.checksum != run.described.at("checksum"))
    throw data_error(out.name + " is not what it was when " + run.folder.string() +
                     " was searched; search it anew into another folder.");
  return out;
}

std::vector<std::size_t> found_points(const run_folder& run) {
  if (!run.report.contains("search"))
    throw data_error(run.folder.string() +
                     " holds a search that has not finished; give the same `dash search` command again.");
  return run.report.at("search").at("found").at("indices").get<std::vector<std::size_t>>();
}

}  // namespace driver
