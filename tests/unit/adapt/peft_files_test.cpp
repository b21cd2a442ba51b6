#include "fmsb/adapt/peft_files.hpp"  // save_peft, load_peft

#include "fmsb/adapt/bitfit.hpp"   // bitfit
#include "fmsb/adapt/plan.hpp"     // plan
#include "fmsb/nn/conv.hpp"        // conv1d, conv2d
#include "fmsb/nn/embedding.hpp"   // embedding
#include "fmsb/nn/state_dict.hpp"  // load_state
#include "fmsb/nn/tree.hpp"        // count_parameters

#include "support/data.hpp"              // skip
#include "unit/adapt/block_support.hpp"  // transformer, distance, stir

#include <cstdlib>     // std::getenv
#include <filesystem>  // std::filesystem::path
#include <fstream>     // std::ifstream
#include <string>      // std::string
#include <unistd.h>    // getpid
#include <utility>     // std::pair
#include <vector>      // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using adapt::names, adapt::plan, adapt::rule;
using test::distance, test::stir, test::transformer;

namespace {

namespace fs = std::filesystem;

/// The convolutional model of the fixtures.
template <class Plan = adapt::none>
struct conv_net
    : nn::composite<
          typename Plan::template child<"first", nn::conv2d<2, 4, 3, nn::conv_options{.padding = 1}>>,
          typename Plan::template child<
              "second", nn::conv2d<4, 6, 3, nn::conv_options{.stride = 2, .bias = nn::bias_term::no}>>,
          typename Plan::template child<"line", nn::conv1d<6, 5, 3>>> {
  using plan = Plan;
  using plain = conv_net<typename Plan::merged>;
  tensor forward(const tensor& x) const {
    const auto y = this->template at<"second">().forward(this->template at<"first">().forward(x).relu());
    return this->template at<"line">().forward(y.relu().flatten(2));
  }
};

/// The model of the fixtures that looks words up.
template <class Plan = adapt::none>
struct words : nn::composite<typename Plan::template child<"table", nn::embedding<11, 6>>,
                             typename Plan::template child<"head", nn::linear<6, 4>>> {
  using plan = Plan;
  using plain = words<typename Plan::merged>;
  tensor forward(const tensor& x) const {
    return this->template at<"head">().forward(this->template at<"table">().forward(x));
  }
};

fs::path fixtures() { return fs::path(FMSB_SOURCE_DIR) / "tests/parity/peft/fixtures"; }

/// A folder of this process, or the one in which tests/parity/peft/compare.py will look.
fs::path folder(const std::string& name) {
  if (const char* given = std::getenv("FMSB_PEFT_OUT")) return fs::path(given) / name;
  return fs::temp_directory_path() / ("fmsb-peft-" + std::to_string(::getpid())) / name;
}

struct leftovers {
  ~leftovers() {
    std::error_code ignored;
    if (std::getenv("FMSB_PEFT_OUT") == nullptr) fs::remove_all(folder(""), ignored);
  }
} const cleared_at_exit;

/// The adapted model on the fixture's base.
template <class Model>
nn::module<Model> based(const std::string& base) {
  torch::manual_seed(3);
  nn::module<Model> m;
  nn::load_state(m, fixtures() / ("base_" + base + ".safetensors"), {.may_miss = [](std::string_view name) {
                   for (const char* own : {"lora_", "vera_", "fourierft_", "ia3_", "beft_", "ln_tuning_"})
                     if (name.find(own) != name.npos) return true;
                   return false;
                 }});
  adapt::start_from_base(*m);
  return m;
}

/// The gradient's name in the fixture, for every adapter parameter of the model.
template <class Model>
std::vector<std::pair<std::string, adapt::detail::peft_tensor>> adapter_tensors(nn::module<Model>& m) {
  adapt::detail::peft_model found;
  adapt::detail::walk(static_cast<const Model&>(*m), "", found);
  std::vector<std::pair<std::string, adapt::detail::peft_tensor>> all;
  for (const auto& e : found.adapters)
    for (const auto& t : e.tensors) all.emplace_back("gradient." + e.path + "." + t.suffix, t);
  return all;
}

/// A directory that peft wrote: loads, and gives its outputs, gradients, merged outputs and counts; is
/// written again, and loads as what it was.
template <class Model>
void check(const std::string& name, const std::string& base) {
  CAPTURE(name);
  auto m = based<Model>(base);
  const auto config = adapt::load_peft(m, fixtures() / name);
  const auto expected = data::open_safetensors(fixtures() / name / "expected.safetensors");
  const auto wanted = [&](const std::string& key) { return nn::tensor_of(expected.at(key)); };

  const auto x = wanted("input");
  if (x.is_floating_point()) x.requires_grad_(true);
  const auto y = m->forward(x);
  CHECK(distance(y, wanted("output")) < 1e-5);
  (y * wanted("direction")).sum().backward();
  if (x.is_floating_point()) CHECK(distance(x.grad(), wanted("gradient.input")) < 1e-5);
  std::size_t compared = 0;
  for (const auto& [key, own] : adapter_tensors(m)) {
    CAPTURE(key);
    const auto gradient = wanted(key).reshape(own.value.sizes());
    CHECK(distance(own.value.grad(), gradient) < 2e-5);
    ++compared;
  }
  CHECK(compared > 0);
  CHECK(nn::count_parameters(*m).trainable == wanted("trainable").template item<std::int64_t>());
  const auto merged = adapt::merge(m)->forward(x.detach());
  CHECK(distance(merged, wanted("output")) < 1e-5);
  if (expected.contains("merged")) CHECK(distance(merged, wanted("merged")) < 1e-5);

  // Written again: nothing of the configuration is lost, and every number comes back.
  const auto again = folder("again") / name;
  adapt::save_peft(m, again, {.config = config});
  const auto rewritten = adapt::peft_config::read(again / "adapter_config.json");
  for (const auto& [field, value] : config.fields.items()) {
    CAPTURE(field);
    CHECK(rewritten.fields.contains(field));
    if (field != "target_modules" && !field.ends_with("_pattern") && field != "feedforward_modules")
      CHECK(rewritten.fields[field] == value);
  }
  auto other = based<Model>(base);
  adapt::load_peft(other, again);
  CHECK(other->forward(x).equal(y));

  // With numbers of our own, for Python to read.
  stir(*m);
  const torch::NoGradGuard quiet;
  adapt::save_peft(m, folder(name));
  nn::write_tensors(folder(name) / "expected.safetensors", {{"input", x}, {"output", m->forward(x)}});
  adapt::load_peft(other, folder(name));
  CHECK(other->forward(x).equal(m->forward(x)));
}

template <class... Rules>
using adapted = transformer<plan<Rules...>>;
using q_and_v = names<"q", "v">;
using lora_model = adapted<rule<q_and_v, adapt::lora<4, {.alpha = 8}>>>;

/// A copy of a fixture with a changed field.
fs::path changed(const std::string& name, const std::string& field, const nlohmann::json& value) {
  const auto to = folder("changed-" + name + "-" + field);
  fs::create_directories(to);
  for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
    fs::copy_file(fixtures() / name / file, to / file, fs::copy_options::overwrite_existing);
  auto config = adapt::peft_config::read(to / "adapter_config.json");
  config.fields[field] = value;
  config.write(to / "adapter_config.json");
  return to;
}

}  // namespace

TEST_CASE("what peft wrote of LoRA loads, computes the same, and goes back") {
  check<lora_model>("lora", "transformer");
  check<adapted<rule<names<"q", "k", "v", "o">, adapt::lora<4, {.alpha = 6, .rank_stabilised = true}>>>>(
      "lora_rank_stabilised", "transformer");
  check<adapted<rule<names<"o", "wi">, adapt::lora<2, {.alpha = 3, .bias = true}>>>>("lora_bias",
                                                                                     "transformer");
}

TEST_CASE("ranks by pattern and layers that are trained whole go both ways") {
  check<adapted<rule<names<"q">, adapt::lora<4, {.alpha = 8}>>,
                rule<names<"wi">, adapt::lora<2, {.alpha = 6}>>, rule<names<"head">, adapt::full>>>(
      "lora_patterns", "transformer");
}

TEST_CASE("what peft wrote of DoRA, VeRA and FourierFT loads, computes the same, and goes back") {
  check<adapted<rule<names<"q", "v", "wi">, adapt::dora<3, {.alpha = 6}>>>>("dora", "transformer");
  check<adapted<rule<names<"q", "v", "wi", "wo">, adapt::vera<6, {.max_in = 16, .max_out = 16}>>>>(
      "vera", "transformer");
  check<adapted<rule<names<"q", "v", "wi">, adapt::fourier_ft<12, {.scaling = 20}>>>>("fourier_ft",
                                                                                      "transformer");
}

TEST_CASE("what peft wrote of the small methods loads, computes the same, and goes back") {
  check<adapted<rule<names<"norm", "scale">, adapt::norm_tuning>>>("norm_tuning", "transformer");
  check<adapted<rule<names<"k", "v">, adapt::ia3<>>, rule<names<"wo">, adapt::ia3<{.feed_forward = true}>>>>(
      "ia3", "transformer");
  check<adapted<rule<names<"q", "v", "wi">, adapt::beft>>>("beft", "transformer");
}

TEST_CASE("AdaLoRA's file, which leaves out the directions that are gone, loads in full") {
  check<adapted<rule<q_and_v, adapt::ada_lora<4, {.alpha = 8}>>>>("ada_lora", "transformer");
}

TEST_CASE("what peft wrote of convolutions loads, computes the same, and goes back") {
  check<conv_net<plan<rule<names<"first", "second", "line">, adapt::lora<2, {.alpha = 5}>>>>>("conv_lora",
                                                                                              "conv_net");
  check<conv_net<plan<rule<names<"first", "second", "line">, adapt::dora<2>>>>>("conv_dora", "conv_net");
  check<conv_net<
      plan<rule<names<"first">, adapt::ia3<>>, rule<names<"second">, adapt::ia3<{.feed_forward = true}>>>>>(
      "conv_ia3", "conv_net");
}

TEST_CASE("what peft wrote of an embedding loads, computes the same, and goes back") {
  check<words<plan<rule<names<"table", "head">, adapt::lora<3, {.alpha = 6}>>>>>("embedding_lora", "words");
}

TEST_CASE("the configuration is written as peft writes it: two blanks a level, fields by name") {
  auto m = based<lora_model>("transformer");
  adapt::save_peft(m, folder("form"));
  std::ifstream in(folder("form") / "adapter_config.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  CHECK(text.starts_with("{\n  \"alpha_pattern\": {},\n  \"auto_mapping\": null,\n"));
  CHECK(text.find("\"inference_mode\": true") != text.npos);
  CHECK(text.find("\"peft_type\": \"LORA\"") != text.npos);
  CHECK(text.find("\"lora_alpha\": 8,") != text.npos);
  CHECK(text.find("\"block.1.attention.v\"") != text.npos);
}

TEST_CASE("targets that would name another layer too are written as an expression") {
  using namespace adapt::detail;
  CHECK(targets({"a.q", "b.q"}, {"a.q", "b.q", "c.q"}) == nlohmann::json({"a.q", "b.q"}));
  CHECK(targets({"q"}, {"q", "c.q"}) == nlohmann::json("q"));
  CHECK(targets({"q", "b.q"}, {"q", "b.q", "c.q"}) == nlohmann::json("q|b\\.q"));
}

TEST_CASE("a directory that does not fit is refused by name, and the model stays as it was") {
  auto m = based<lora_model>("transformer");
  const auto x = torch::randn({2, 5, 8});
  stir(*m);
  const auto before = m->forward(x);
  const auto refused = [&](const fs::path& from, const char* words) {
    CHECK_THROWS_WITH_AS(adapt::load_peft(m, from), doctest::Contains(words), data_error);
    CHECK(m->forward(x).equal(before));
  };
  refused(changed("lora", "target_modules", {"q", "query"}), "the target \"query\" is no layer");
  refused(changed("lora", "target_modules", {"q"}), "its targets do not name \"block.0.attention.v\"");
  refused(changed("lora", "target_modules", ".*\\.q"), "its target expression does not match");
  refused(changed("lora", "r", 8), "\"r\" is 8 for \"block.0.attention.q\", but the model's layer has 4");
  refused(changed("lora", "lora_alpha", 16), "\"lora_alpha\" is 16");
  refused(changed("lora", "use_rslora", true), "\"use_rslora\" is true");
  refused(changed("lora", "peft_type", "LOHA"), "is for the method LOHA");
  refused(changed("lora", "use_dora", true), "\"use_dora\" is true");
  refused(fixtures() / "vera", "is for the method VERA, by which no layer of the model is adapted");
  refused(folder("nowhere"), "adapter_config.json cannot be opened");
}

TEST_CASE("a tensor that is missing, unexpected or of another shape is named") {
  using with_head = adapted<rule<names<"q", "v", "head">, adapt::lora<4, {.alpha = 8}>>>;
  auto wide = based<with_head>("transformer");
  try {
    adapt::load_peft(wide, changed("lora", "target_modules", {"q", "v", "head"}));
    FAIL("a tensor is missing");
  } catch (const nn::state_mismatch& found) {
    CHECK(found.missing == std::vector<std::string>{"base_model.model.head.lora_A.weight",
                                                    "base_model.model.head.lora_B.weight"});
  }
  using only_q = adapted<rule<names<"q">, adapt::lora<4, {.alpha = 8}>>>;
  auto narrow = based<only_q>("transformer");
  try {
    adapt::load_peft(narrow, changed("lora", "target_modules", nullptr));
    FAIL("a tensor is unexpected");
  } catch (const nn::state_mismatch& found) {
    CHECK(found.unexpected.size() == 4);
    CHECK(found.missing.empty());
  }
  auto m = based<adapted<rule<q_and_v, adapt::lora<2, {.alpha = 8}>>>>("transformer");
  try {
    adapt::load_peft(m, changed("lora", "r", 2));
    FAIL("a tensor has another shape");
  } catch (const nn::state_mismatch& found) {
    CHECK(found.misshaped.size() == 8);
    CHECK(std::string(found.what()).find("base_model.model.block.0.attention.q.lora_A.weight: [4, 8]") !=
          std::string::npos);
  }
}

TEST_CASE("a model with two methods, or none that peft has, is refused with what to do") {
  nn::module<adapted<rule<names<"q">, adapt::lora<2>>, rule<names<"wi">, adapt::ia3<>>>> two;
  CHECK_THROWS_WITH_AS(adapt::save_peft(two, folder("two")),
                       doctest::Contains("holds the methods IA3, LORA, and a peft directory holds one"),
                       usage_error);
  adapt::save_peft(two, folder("two"), {.method = "IA3"});
  CHECK(adapt::peft_config::read(folder("two") / "adapter_config.json").method() == "IA3");
  nn::module<adapted<rule<names<"wi">, adapt::bitfit>>> biases;
  CHECK_THROWS_WITH_AS(adapt::save_peft(biases, folder("none")), doctest::Contains("(block.0.wi: bitfit)"),
                       usage_error);
  nn::module<adapted<rule<names<"q">, adapt::lora<2>>, rule<names<"wi">, adapt::bitfit>>> some;
  CHECK_THROWS_WITH_AS(adapt::save_peft(some, folder("some")),
                       doctest::Contains("has no file for block.0.wi: bitfit"), usage_error);
  adapt::save_peft(some, folder("some"), {.method = "LORA"});
  CHECK(adapt::peft_config::read(folder("some") / "adapter_config.json").fields["modules_to_save"].is_null());
}

TEST_CASE("fields that fmsb does not know are kept") {
  auto m = based<lora_model>("transformer");
  const auto config = adapt::load_peft(m, changed("lora", "of_another_year", {{"a", {1, 2}}}));
  adapt::save_peft(m, folder("kept"), {.config = config});
  const auto read = adapt::peft_config::read(folder("kept") / "adapter_config.json");
  CHECK(read.fields["of_another_year"] == nlohmann::json({{"a", {1, 2}}}));
  CHECK(read.fields["peft_version"] == config.fields["peft_version"]);
}

namespace {

template <class Plan>
struct chronos_attention
    : nn::composite<typename Plan::template child<"q", nn::linear<6, 16, nn::bias_term::no>>,
                    typename Plan::template child<"k", nn::linear<6, 16, nn::bias_term::no>>,
                    typename Plan::template child<"v", nn::linear<6, 16, nn::bias_term::no>>,
                    typename Plan::template child<"o", nn::linear<16, 6, nn::bias_term::no>>> {};
template <class Plan>
struct chronos_layer
    : nn::composite<
          nn::child<"self_attention", chronos_attention<typename Plan::template under<"self_attention">>>> {};
template <class Plan>
struct chronos_block
    : nn::composite<nn::child<
          "layer",
          nn::repeat<2, chronos_layer<typename Plan::template under<"layer">::template under<"*">>>>> {};
template <class Plan>
struct chronos_encoder
    : nn::composite<nn::child<
          "block",
          nn::repeat<2, chronos_block<typename Plan::template under<"block">::template under<"*">>>>> {};
template <class Plan>
struct chronos_output : nn::composite<typename Plan::template child<"output_layer", nn::linear<8, 336>>> {};
template <class Plan>
struct chronos_shape
    : nn::composite<nn::child<"encoder", chronos_encoder<typename Plan::template under<"encoder">>>,
                    nn::child<"output_patch_embedding",
                              chronos_output<typename Plan::template under<"output_patch_embedding">>>> {
  using plan = Plan;
};

}  // namespace

TEST_CASE("an adapter of a released model loads into layers of its names") {
  const auto from = fs::path(FMSB_SOURCE_DIR) / "../shared/reference/chronos/dummy-chronos2-lora";
  if (!fs::exists(from)) return test::skip("the adapter dummy-chronos2-lora is not there");
  using model = chronos_shape<plan<rule<names<"self_attention.q", "self_attention.k", "self_attention.v",
                                              "self_attention.o", "output_patch_embedding.output_layer">,
                                        adapt::lora<8, {.alpha = 16}>>>>;
  nn::module<model> m;
  const auto config = adapt::load_peft(m, from);
  CHECK(config.fields["auto_mapping"]["base_model_class"] == "Chronos2Model");
  const auto stored = data::open_safetensors(from / "adapter_model.safetensors");
  CHECK(m->at<"output_patch_embedding">().at<"output_layer">().lora_B.equal(
      nn::tensor_of(stored.at("base_model.model.output_patch_embedding.output_layer.lora_B.weight"))));
  adapt::save_peft(m, folder("chronos"), {.config = config});
  const auto bytes = [](const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  CHECK(bytes(folder("chronos") / "adapter_model.safetensors") == bytes(from / "adapter_model.safetensors"));
}
