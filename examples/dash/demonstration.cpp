#include "generated.hpp"  // write_generated_sequences
#include "options.hpp"    // search, train

namespace driver {

namespace {

/// Where Debian's package dataset-fashion-mnist puts it.
const fs::path kFashion = "/usr/share/datasets/fashion-mnist";

data_options examples(const fs::path& folder) {
  data_options out;
  if (fs::exists(kFashion / "train-images-idx3-ubyte.gz")) {
    out.task = "images";
    out.train = {kFashion.string()};
    out.most = 6000;
    return out;
  }
  const auto file = folder / "generated.csv";
  if (!fs::exists(file)) {
    fs::create_directories(folder);
    write_generated_sequences(file, 4000, 1);
  }
  out.task = "genomics";
  out.train = {file.string()};
  return out;
}

}  // namespace

std::string demonstrate(const demonstration_command& wanted) {
  search_command searched{.data = examples(wanted.out), .out = wanted.out};
  const bool images = searched.data.task == "images";
  searched.network.space = images ? "small" : "genomics";
  searched.wishes.epochs = images ? 8 : 30;
  std::string text = search(searched);
  text.erase(text.rfind("next: "));
  train_command trained{.run = wanted.out};
  trained.wishes.epochs = images ? 4 : 12;
  train(trained);
  trained.plain = true;
  text += "\n" + train(trained);
  return text + "`dash show --run " + wanted.out.string() +
         "` prints what was found as a C++ header; `dash --help` tells how with your own data.\n";
}

}  // namespace driver
