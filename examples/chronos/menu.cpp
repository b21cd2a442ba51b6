#include "menu.hpp"

#include "fmsb/adapt/peft_config.hpp"  // peft_config
#include "fmsb/core/error.hpp"         // usage_error, data_error
#include "fmsb/report/table.hpp"       // table, grouped

#include <algorithm>  // std::equal
#include <fstream>    // std::ifstream
#include <set>        // std::set

namespace driver {

namespace {

using namespace fmsb;
namespace fs = std::filesystem;

const char* number_name(const menu_item& item) {
  if (item.number == 0) return "";
  return item.adapter.starts_with("fourier_ft") ? "frequencies" : "rank";
}

bool fits(const menu_item& item, const std::string& size, const adapter_choice& wanted) {
  const bool spectral = item.adapter.starts_with("fourier_ft");
  return item.size == size && item.adapter == wanted.adapter && (wanted.on.empty() || item.on == wanted.on) &&
         (wanted.rank == 0 || (!spectral && item.number == wanted.rank)) &&
         (wanted.frequencies == 0 || (spectral && item.number == wanted.frequencies));
}

/// How many numbers the same adapter trains on another size; a dash where that is not compiled in.
std::string trained_text(const menu_item& item, const model_size& size) {
  for (const auto& other : menu())
    if (other.size == size.name && other.adapter == item.adapter && other.number == item.number &&
        other.on == item.on)
      return report::grouped(static_cast<std::uint64_t>(other.trained));
  return "-";
}

nlohmann::json read_config(const fs::path& folder) {
  std::ifstream in(folder / "config.json");
  const auto fields = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!in || !fields.is_object())
    throw data_error(
        (folder / "config.json").string() +
        " cannot be read; --model is a Hugging Face folder with config.json and model.safetensors, "
        "such as `chronos pretrain` writes.");
  return fields;
}

bool is_of(const nlohmann::json& fields, const models::t5_config& type) {
  const auto is = [&](const char* name, index_t value) {
    return fields.contains(name) && fields[name].is_number_integer() && fields[name].get<index_t>() == value;
  };
  return is("d_model", type.width) && is("d_ff", type.feed_forward) &&
         is("num_layers", type.encoder_layers) && is("num_heads", type.heads) &&
         is("vocab_size", type.vocabulary);
}

/// The last names of peft's targets: "q" of "encoder.block.0.layer.0.SelfAttention.q".
std::set<std::string> layers_of(const nlohmann::json& fields) {
  std::set<std::string> names;
  for (const auto& path : adapt::detail::texts_of(fields, "target_modules"))
    names.insert(path.substr(path.rfind('.') + 1));
  return names;
}

bool is_adapter(const menu_item& item, const fs::path& folder) {
  for (const auto& method : item.methods) {
    const auto file = (item.methods.size() > 1 ? folder / method : folder) / "adapter_config.json";
    if (!fs::exists(file)) return false;
    const auto config = adapt::peft_config::read(file);
    const auto& fields = config.fields;
    const auto is = [&](const char* name, int value) { return fields.value(name, -1) == value; };
    if (config.method() != method) return false;
    if (method == "LORA" &&
        (!is("r", item.number) || fields.value("use_dora", false) != (item.adapter == "dora")))
      return false;
    if (method == "FOURIERFT" && !is("n_frequency", item.number)) return false;
    std::set<std::string> wanted;
    for (std::size_t at = 0; item.on != "all" && at <= item.on.size();) {
      const auto end = std::min(item.on.find(',', at), item.on.size());
      wanted.insert(item.on.substr(at, end - at));
      at = end + 1;
    }
    if (!wanted.empty() && wanted != layers_of(fields)) return false;
  }
  return !item.methods.empty();
}

/// A run of `finetune` holds its adapter in a folder of its own.
fs::path adapter_folder(const fs::path& given) {
  return fs::is_directory(given / "adapter") ? given / "adapter" : given;
}

}  // namespace

const std::vector<menu_item>& menu() {
  static const auto all = [] {
    std::vector<menu_item> items;
    for (auto* group : {tiny_whole, tiny_vectors, tiny_lora, tiny_dora_vera, tiny_fourier, tiny_fourier_more,
                        nano_whole, nano_adapters})
      for (auto& item : group()) items.push_back(std::move(item));
    return items;
  }();
  return all;
}

std::string menu_text() {
  std::vector<std::string> headings{"--adapter", "", "--on"};
  for (const auto& size : sizes) headings.push_back("trained, " + std::string(size.name));
  report::table table(headings);
  for (const auto& item : menu()) {
    if (item.size != tiny.name) continue;  // the size that has them all
    std::vector<std::string> row{item.adapter, "", item.on};
    if (item.number > 0) row[1] = "--" + std::string(number_name(item)) + " " + std::to_string(item.number);
    for (const auto& size : sizes) row.push_back(trained_text(item, size));
    table.add(row);
  }
  return table.text();
}

const model_size& size_of(const fs::path& model) {
  const auto fields = read_config(model);
  std::string known;
  for (const auto& size : sizes) {
    if (is_of(fields, size.type)) return size;
    known += (known.empty() ? "" : ", ") + std::string(size.name) + " (width " +
             std::to_string(size.type.width) + ", " + std::to_string(size.type.encoder_layers) + " + " +
             std::to_string(size.type.decoder_layers) + " layers, " + std::to_string(size.type.vocabulary) +
             " tokens)";
  }
  throw data_error((model / "config.json").string() +
                   " is of another size than the program is compiled for: " + known +
                   ". A size is a line in examples/chronos/sizes.hpp.");
}

const model_size& size_called(const std::string& name) {
  std::string known;
  for (const auto& size : sizes) {
    if (name == size.name) return size;
    known += (known.empty() ? "" : ", ") + std::string(size.name);
  }
  throw usage_error("--size: \"" + name + "\" is not compiled in; there are " + known + ".");
}

const menu_item& choose(const std::string& size, const adapter_choice& wanted) {
  for (const auto& item : menu())
    if (fits(item, size, wanted)) return item;
  std::string asked = wanted.adapter;
  if (wanted.rank > 0) asked += " --rank " + std::to_string(wanted.rank);
  if (wanted.frequencies > 0) asked += " --frequencies " + std::to_string(wanted.frequencies);
  if (!wanted.on.empty()) asked += " --on " + wanted.on;
  throw usage_error("--adapter " + asked + " is not compiled in. There are:\n" + menu_text() +
                    "Another one is a line in examples/chronos/groups.hpp.");
}

const menu_item& whole_model(const std::string& size) { return choose(size, {.adapter = "full"}); }

std::unique_ptr<network> open_model(const fs::path& model) {
  return whole_model(size_of(model).name).open(model, 0);
}

const menu_item& item_of(const fs::path& model, const fs::path& adapter) {
  const std::string size = size_of(model).name;
  for (const auto& item : menu())
    if (item.size == size && is_adapter(item, adapter_folder(adapter))) return item;
  throw data_error(
      adapter.string() +
      " holds no adapter of the menu for this model: neither it nor a folder \"adapter\" in it has an "
      "adapter_config.json that fits one. `chronos adapters` lists them.");
}

std::unique_ptr<network> open_adapted(const fs::path& model, fs::path adapter) {
  auto out = item_of(model, adapter).open(model, 0);
  out->load_adapter(adapter_folder(adapter));
  return out;
}

}  // namespace driver
