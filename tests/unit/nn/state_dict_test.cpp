#include "fmsb/nn/state_dict.hpp"

#include "fmsb/nn/composite.hpp"
#include "fmsb/nn/linear.hpp"
#include "fmsb/nn/module.hpp"
#include "fmsb/nn/repeat.hpp"

#include "support/data.hpp"
#include "support/folder.hpp"
#include "support/message.hpp"
#include "support/property.hpp"

#include <ATen/ops/equal.h>                         // at::equal
#include <ATen/ops/ones.h>                          // at::ones
#include <ATen/ops/randn.h>                         // at::randn
#include <torch/nn/modules/batchnorm.h>             // torch::nn::BatchNorm1d
#include <torch/nn/modules/container/sequential.h>  // torch::nn::Sequential
#include <torch/nn/modules/linear.h>                // torch::nn::Linear

#include "support/doctest.hpp"

namespace data = fmsb::data;
namespace nn = fmsb::nn;
using fmsb::data_error, fmsb::usage_error, fmsb::index_t, fmsb::tensor;
using fmsb::test::holds, fmsb::test::temporary_folder, fmsb::test::message_of;
using names = std::vector<std::string>;

namespace {

using block = nn::sequential<nn::child<"wi", nn::linear<3, 4>>, nn::child<"wo", nn::linear<4, 3>>>;
using stack = nn::composite<nn::child<"layers", nn::repeat<2, block>>, nn::child<"head", nn::linear<3, 2>>>;

/// A layer with two parameters more than the plain one, which is frozen: what an adapter makes of it.
template <class Base>
struct adapted : Base {
  tensor lora_A, lora_B;
  void reset() override {
    Base::reset();
    for (auto& p : this->parameters()) p.requires_grad_(false);
    lora_A = this->register_parameter("lora_A", at::randn({2, Base::in_features}));
    lora_B = this->register_parameter("lora_B", at::zeros({Base::out_features, 2}));
  }
};

/// One matrix under two names, as an embedding and the head that shares it, and a buffer.
struct tied : nn::layer {
  tensor first, second, count;
  void reset() override {
    first = register_parameter("wte", at::randn({3, 2}));
    second = register_parameter("lm_head", first);
    count = register_buffer("count", at::zeros({}, at::kLong));
  }
};

struct values_of_module : std::map<std::string, tensor> {
  explicit values_of_module(const torch::nn::Module& m) {
    for (const auto& [name, value] : nn::detail::registered_tensors(m))
      (*this)[name] = value.detach().clone();
  }
  bool operator==(const values_of_module& other) const {
    return std::equal(begin(), end(), other.begin(), other.end(), [](const auto& a, const auto& b) {
      return a.first == b.first && at::equal(a.second, b.second);
    });
  }
};

std::string text_of(const tensor& x) {
  return x.numel() == 0 ? "" : std::string(static_cast<const char*>(x.const_data_ptr()), x.nbytes());
}

struct scratch : temporary_folder {
  std::filesystem::path file = path / "model.safetensors";
  const std::filesystem::path& with(const std::vector<nn::named_tensor>& tensors) const {
    nn::write_tensors(file, tensors);
    return file;
  }
};

template <class Act>
nn::state_mismatch mismatch_of(Act act) {
  try {
    act();
  } catch (const nn::state_mismatch& found) { return found; }
  return {"nothing was thrown", {}};
}

}  // namespace

TEST_CASE("a saved state loads into another module of the same names, number for number") {
  const scratch folder;
  nn::module<stack> from, into;
  CHECK_FALSE(values_of_module(*from) == values_of_module(*into));
  nn::save_state(from, folder.file);
  CHECK(nn::load_state(into, folder.file).empty());
  CHECK(values_of_module(*from) == values_of_module(*into));
  const auto file = data::open_safetensors(folder.file);
  CHECK(file.size() == 10);
  CHECK(file.at("layers.1.wo.weight").shape == std::vector<index_t>{3, 4});
  CHECK(file.metadata() == data::text_map{{"format", "pt"}});
}

TEST_CASE("LibTorch's own modules are saved and loaded with their buffers") {
  const scratch folder;
  torch::nn::Sequential from(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4));
  torch::nn::Sequential into(torch::nn::Linear(3, 4), torch::nn::BatchNorm1d(4));
  from->forward(at::randn({5, 3}));
  nn::save_state(from, folder.file);
  CHECK_FALSE(values_of_module(*from) == values_of_module(*into));
  nn::load_state(into, folder.file);
  CHECK(values_of_module(*from) == values_of_module(*into));
  CHECK(into->named_buffers()["1.num_batches_tracked"].item<index_t>() == 1);
}

TEST_CASE("a parameter or buffer that a module does without is neither saved nor missed") {
  const scratch folder;
  const auto build = [] {
    return torch::nn::Sequential(
        torch::nn::Linear(torch::nn::LinearOptions(3, 4).bias(false)),
        torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(4).affine(false).track_running_stats(false)));
  };
  const auto from = build(), into = build();
  nn::save_state(from, folder.file);
  CHECK(data::open_safetensors(folder.file).size() == 1);
  CHECK(nn::load_state(into, folder.file).empty());
  CHECK(values_of_module(*from) == values_of_module(*into));
}

TEST_CASE("what a module holds stays what it is: tensors, number types, what is frozen") {
  const scratch folder;
  nn::module<nn::linear<3, 2>> m;
  m->to(at::kDouble);
  m->weight.requires_grad_(false);
  const auto handle = m->weight;
  folder.with({{"weight", at::ones({2, 3}, at::kFloat)}, {"bias", at::ones({2}, at::kFloat)}});
  nn::load_state(m, folder.file);
  CHECK(m->weight.is_same(handle));
  CHECK((m->weight.scalar_type() == at::kDouble));
  CHECK(at::equal(handle, at::ones({2, 3}, at::kDouble)));
  CHECK_FALSE(m->weight.requires_grad());
  CHECK(m->bias.requires_grad());
  CHECK(m->bias.is_leaf());
}

TEST_CASE("floating-point numbers of any width load into modules of any width") {
  const at::ScalarType types[] = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16};
  const scratch folder;
  for (const auto stored : types)
    for (const auto held : types) {
      const auto weight = at::randn({2, 3}).to(stored), bias = at::randn({2}).to(stored);
      folder.with({{"weight", weight}, {"bias", bias}});
      nn::module<nn::linear<3, 2>> m;
      m->to(held);
      nn::load_state(m, folder.file);
      CHECK(at::equal(m->weight, weight.to(held)));
      CHECK(at::equal(m->bias, bias.to(held)));
    }
}

TEST_CASE("tensors of every number type and shape come back from a file") {
  const scratch folder;
  CHECK(holds("tensor_of(write_tensors(x)) == x", [&] {
    std::vector<nn::named_tensor> tensors;
    for (std::size_t i = 0; i < nn::detail::scalar_types.size(); ++i) {
      const auto shape = *rc::gen::container<std::vector<index_t>>(
          static_cast<std::size_t>(*rc::gen::inRange(0, 4)), rc::gen::inRange<index_t>(0, 4));
      auto x = at::randn(shape, at::kDouble).mul(50).abs().to(nn::detail::scalar_types[i].second);
      if (shape.size() == 2) x = x.t();
      tensors.push_back({std::to_string(i), x});
    }
    const auto file = data::open_safetensors(folder.with(tensors));
    RC_ASSERT(file.size() == tensors.size());
    for (const auto& [name, x] : tensors) {
      const auto back = nn::tensor_of(file.at(name));
      RC_ASSERT(back.scalar_type() == x.scalar_type());
      RC_ASSERT(back.sizes() == x.sizes());
      RC_ASSERT(text_of(back) == text_of(x.contiguous()));
    }
  }));
  CHECK(message_of<usage_error>([&] {
          folder.with({{"z", at::ones({1}, at::kComplexFloat)}});
        }) ==
        "fmsb::nn: a safetensors file holds no numbers of type ComplexFloat; convert the tensor first, as in "
        "x.to(at::kFloat).");
  CHECK(message_of<usage_error>([&] {
          folder.with({{"z", tensor()}});
        }) == "fmsb::nn::write_tensors: \"z\" is an undefined tensor; leave it out.");
}

TEST_CASE("numbers that lie at an odd place in a file are read all the same") {
  // Two blanks fewer than a writer would pad: the data begin two bytes off every boundary.
  const std::string header = R"({"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})";
  const auto x = at::randn({2}, at::kDouble);
  for (std::size_t blanks = 0; blanks < 8; ++blanks) {
    const auto padded = header + std::string(blanks, ' ');
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(padded.size());
    bytes.append(padded).append(static_cast<const char*>(x.const_data_ptr()), 16);
    const auto file = data::parse_safetensors(std::as_bytes(std::span(bytes)));
    CHECK(at::equal(nn::tensor_of(file.at("x")), x));
    CHECK(at::equal(nn::detail::borrowed(file.at("x")), x));
  }
}

TEST_CASE("a file that does not fit is refused with the lists of names, and nothing is written") {
  const scratch folder;
  nn::module<stack> m;
  const values_of_module before(*m);
  folder.with({{"head.weight", at::ones({2, 3})},
               {"head.bias", at::ones({3})},
               {"layers.0.wi.weight", at::ones({4, 3}, at::kLong)},
               {"lm_head", at::ones({1})},
               {"extra", at::ones({1})}});
  const auto found = mismatch_of([&] { nn::load_state(m, folder.file); });
  CHECK(found.missing == names{"layers.0.wi.bias", "layers.0.wo.weight", "layers.0.wo.bias",
                               "layers.1.wi.weight", "layers.1.wi.bias", "layers.1.wo.weight",
                               "layers.1.wo.bias"});
  CHECK(found.unexpected == names{"extra", "lm_head"});
  CHECK((found.misshaped == std::vector<nn::misshaped_tensor>{{"head.bias", {3}, {2}}}));
  CHECK((found.mistyped == std::vector<nn::mistyped_tensor>{{"layers.0.wi.weight", "I64", "Float"}}));
  CHECK(found.what() ==
        folder.file.string() +
            " does not fit the module: 7 names of the module are not in the file (layers.0.wi.bias, "
            "layers.0.wo.weight, layers.0.wo.bias, layers.1.wi.weight, ...); 2 names of the file are not in "
            "the "
            "module (extra, lm_head); 1 shape differs (head.bias: [3] in the file, [2] in the module); 1 "
            "number "
            "type cannot be converted (layers.0.wi.weight: I64 in the file, Float in the module). Load it "
            "into the "
            "module that it was made from, or say by nn::load_options what may differ.");
  CHECK(values_of_module(*m) == before);
  CHECK_THROWS_AS(nn::load_state(m, folder.file, {.strict = false}),
                  data_error);  // shapes must fit all the same
  CHECK(values_of_module(*m) == before);
}

TEST_CASE(
    "without strictness what fits is loaded and the rest is told, and where nothing fits it is refused") {
  const scratch folder;
  nn::module<nn::linear<3, 2>> m;
  const auto bias = m->bias.detach().clone();
  folder.with({{"weight", at::ones({2, 3})}, {"other", at::ones({1})}});
  const auto told = nn::load_state(m, folder.file, {.strict = false});
  CHECK(told.missing == names{"bias"});
  CHECK(told.unexpected == names{"other"});
  CHECK(at::equal(m->weight, at::ones({2, 3})));
  CHECK(at::equal(m->bias, bias));
  folder.with({{"other", at::ones({1})}});
  CHECK_THROWS_AS(nn::load_state(m, folder.file, {.strict = false}), nn::state_mismatch);
}

TEST_CASE("a prefix picks a part of a file, patterns leave names out, and names are changed") {
  const scratch folder;
  folder.with({{"model.enc.0.gamma", at::ones({2, 3})},
               {"model.enc.0.beta", at::ones({2})},
               {"model.enc.0.beta_old", at::ones({5})},
               {"lm_head.weight", at::ones({7})}});
  const auto load = [&](const nn::load_options& options) {
    nn::module<nn::linear<3, 2>> m;
    nn::load_state(m, folder.file, options);
    return at::equal(m->weight, at::ones({2, 3})) && at::equal(m->bias, at::ones({2}));
  };
  CHECK(load(
      {.prefix = "model.enc.0.", .rename = {{"gamma", "weight"}, {"beta", "bias"}}, .ignore = {"*_old"}}));
  CHECK(load({.rename = {{"model.enc.0", ""}, {"gamma", "weight"}, {"beta", "bias"}},
              .ignore = {"*old", "lm_head.*"}}));
  CHECK(load({.prefix = "model.",
              .rename = [](std::string_view name) { return name.ends_with("gamma") ? "weight" : "bias"; },
              .ignore = {"model.*.beta_*"}}));
  CHECK(message_of<usage_error>([&] { load({.rename = [](std::string_view) { return "weight"; }}); })
            .starts_with(
                "fmsb::nn::load_state: load_options::rename makes \"weight\" of both \"lm_head.weight\" and "
                "\"model.enc.0.beta\" of "));
}

TEST_CASE("a renaming by list changes whole names between dots and nothing else") {
  const nn::renaming by_list{{"layer.0", "first"}, {"LayerNorm", "norm"}, {"module", ""}};
  CHECK(by_list("encoder.layer.0.weight") == "encoder.first.weight");
  CHECK(by_list("layer.0") == "first");
  CHECK(by_list("encoder.layer.01.weight") == "encoder.layer.01.weight");
  CHECK(by_list("player.0.weight") == "player.0.weight");
  CHECK(by_list("module.LayerNorm.module.x") == "norm.x");
  CHECK(by_list("layer.0.layer.0") == "first.first");
  CHECK(nn::renaming()("a.b") == "a.b");
}

TEST_CASE("a pattern's star stands for any characters or none") {
  static_assert(nn::matches_pattern("lm_head.*", "lm_head.weight") && nn::matches_pattern("*", ""));
  static_assert(!nn::matches_pattern("lm_head.*", "x.lm_head.weight") && !nn::matches_pattern("", "a"));
  CHECK(holds("a name matches itself with any stretches replaced by stars", [] {
    const auto text = [] { return *rc::gen::container<std::string>(rc::gen::element('a', 'b', '.')); };
    std::string pattern, name;
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
      const auto kept = text();
      pattern += kept + "*";
      name += kept + text();
    }
    RC_ASSERT(nn::matches_pattern(pattern, name));
    RC_ASSERT(!nn::matches_pattern(pattern + "c", name));
  }));
}

TEST_CASE("a base checkpoint loads into an adapted module whose adapters it does not know") {
  const scratch folder;
  nn::module<nn::linear<3, 4>> base;
  nn::module<adapted<nn::linear<3, 4>>> m;
  nn::save_state(base, folder.file);
  CHECK(mismatch_of([&] { nn::load_state(m, folder.file); }).missing == names{"lora_A", "lora_B"});
  const auto lora_a = m->lora_A.detach().clone();
  CHECK(nn::load_state(m, folder.file,
                       {.may_miss = [](std::string_view name) { return name.find("lora_") != name.npos; }})
            .empty());
  CHECK(at::equal(m->weight, base->weight));
  CHECK(at::equal(m->lora_A, lora_a));
  CHECK_FALSE(m->weight.requires_grad());
}

TEST_CASE("tied tensors are written once, and one of their names is enough") {
  const scratch folder;
  nn::module<tied> from, into;
  from->count.fill_(7);
  nn::save_state(from, folder.file);
  const auto file = data::open_safetensors(folder.file);
  CHECK(file.size() == 2);
  CHECK(file.contains("lm_head"));
  CHECK(file.metadata() == data::text_map{{"format", "pt"}, {"wte", "lm_head"}});
  nn::load_state(into, folder.file);
  CHECK(at::equal(into->first, from->first));
  CHECK(into->first.is_same(into->second));
  CHECK(into->count.item<index_t>() == 7);

  const auto ones = at::ones({3, 2}), count = at::zeros({}, at::kLong);
  nn::load_state(into, folder.with({{"wte", ones}, {"count", count}}));
  CHECK(at::equal(into->second, ones));
  nn::load_state(into, folder.with({{"wte", ones}, {"lm_head", ones}, {"count", count}}));
  folder.with({{"wte", ones}, {"lm_head", 2 * ones}, {"count", count}});
  CHECK(message_of<data_error>([&] { nn::load_state(into, folder.file); }) ==
        folder.file.string() +
            ": wte and lm_head are one tensor in the module, but have different numbers in the file. Load it "
            "into a "
            "module that does not tie them, or ignore one of them.");
  CHECK(nn::load_state(into, folder.file, {.ignore = {"lm_head"}}).empty());
  CHECK(mismatch_of([&] {
          nn::load_state(into, folder.with({{"count", count}}));
        }).missing == names{"wte", "lm_head"});
}

TEST_CASE("integers load where none can be lost") {
  const scratch folder;
  nn::module<tied> m;
  const auto load = [&](const tensor& count) {
    nn::load_state(m, folder.with({{"wte", at::ones({3, 2})}, {"count", count}}));
    return m->count.item<index_t>();
  };
  CHECK(load(at::ones({}, at::kInt)) == 1);
  CHECK(load(at::ones({}, at::kByte)) == 1);
  CHECK(load(at::ones({}, at::kUInt16)) == 1);
  CHECK_THROWS_AS(load(at::ones({}, at::kFloat)), nn::state_mismatch);
  CHECK_THROWS_AS(load(at::ones({}, at::kBool)), nn::state_mismatch);
  CHECK_FALSE(nn::detail::converts(at::kLong, at::kInt));
  CHECK_FALSE(nn::detail::converts(at::kByte, at::kChar));
  CHECK(nn::detail::converts(at::kByte, at::kShort));
  CHECK_FALSE(nn::detail::converts(at::kLong, at::kUInt64));
}

TEST_CASE("a published T5 attention loads by its names, and its base into an adapted one") {
  const auto path = fmsb::test::data_file("../reference/chronos/dummy-chronos/model.safetensors");
  if (!path) return fmsb::test::skip("the Chronos checkpoints are not beside the shared data folder");
  using plain = nn::linear<64, 16, nn::bias_term::no>;
  using attention =
      nn::composite<nn::child<"q", adapted<plain>>, nn::child<"k", plain>, nn::child<"v", plain>,
                    nn::child<"o", nn::linear<16, 64, nn::bias_term::no>>>;
  nn::module<attention> m;
  nn::load_state(m, *path,
                 {.prefix = "decoder.block.0.layer.1.EncDecAttention.",
                  .may_miss = [](std::string_view name) { return name.starts_with("q.lora_"); }});
  CHECK(m->at<"q">().weight[0][0].item<double>() == 0.001190185546875);
  CHECK(m->at<"o">().weight.to(at::kDouble).sum().item<double>() == doctest::Approx(0.5304275155067444));
}
