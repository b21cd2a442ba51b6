#include "fmsb/models/chronos/tokenizer.hpp"  // tokenizer, uniform_bins, config

#include "support/data.hpp"                  // skip
#include "support/property.hpp"              // holds
#include "unit/chronos/chronos_support.hpp"  // chronos_fixture, rows_of, spans_of

#include <ATen/ops/linspace.h>  // at::linspace

#include <cmath>       // std::nextafter
#include <filesystem>  // std::filesystem::exists
#include <fstream>     // std::ofstream
#include <unistd.h>    // getpid

#include "support/doctest.hpp"

using namespace fmsb;
using test::kGap, test::message_of, test::read, test::same;

namespace {

chronos::config of_32_tokens() { return {.tokens = 32, .context_length = 16, .prediction_length = 4}; }

/// The number of edges that are not above a value, by looking at each: what torch.bucketize(right=True)
/// returns.
std::int64_t id_by_counting(const chronos::uniform_bins& bins, const chronos::config& c, float value) {
  std::int64_t count = 0;
  for (const float edge : bins.edges()) count += !(value < edge) ? 1 : 0;  // a NaN is behind all of them
  return std::min(count + c.special_tokens, c.tokens - 1);
}

nlohmann::json published() {
  return nlohmann::json::parse(R"({"tokenizer_class": "MeanScaleUniformBins",
    "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0}, "n_tokens": 4096, "n_special_tokens": 2,
    "pad_token_id": 0, "eos_token_id": 1, "use_eos_token": true, "model_type": "seq2seq", "context_length": 512,
    "prediction_length": 64, "num_samples": 20, "temperature": 1.0, "top_k": 50, "top_p": 1.0, "of_later": []})");
}

std::string refused(nlohmann::json fields) {
  return message_of<data_error>([&] { (void)chronos::config::from_json(fields); });
}

}  // namespace

TEST_CASE("bins are those of the Python package") {
  for (const auto& [name, c] :
       {std::pair("tokens_4096.safetensors", chronos::config{.prediction_length = 16}),
        std::pair("tokens_32.safetensors", of_32_tokens())}) {
    const auto file = test::chronos_fixture(name);
    const chronos::uniform_bins bins(c);
    const auto centres = read(file, "centres"), edges = read(file, "boundaries");
    REQUIRE(centres.numel() == static_cast<index_t>(bins.centres().size()));
    for (std::size_t i = 0; i < bins.centres().size(); ++i)
      CHECK(bins.centres()[i] == centres.const_data_ptr<float>()[i]);
    for (std::size_t i = 0; i < bins.edges().size(); ++i)
      CHECK(bins.edges()[i] == edges.const_data_ptr<float>()[i]);
  }
}

TEST_CASE("centres are LibTorch's linspace to a unit in the last place, whatever the processor") {
  const chronos::uniform_bins bins({});
  const auto centres = at::linspace(-15.0, 15.0, 4093, at::TensorOptions().dtype(at::kFloat));
  for (std::size_t i = 0; i < bins.centres().size(); ++i)
    CHECK(std::abs(bins.centres()[i] - centres.const_data_ptr<float>()[i]) <= 9.6e-7F);  // 2^-20 at 8 to 16
}

TEST_CASE("an id is what a search among the edges finds, at every edge and one unit beside it") {
  for (const auto& c :
       {chronos::config{}, of_32_tokens(), chronos::config{.low_limit = -1, .high_limit = 40, .tokens = 777},
        chronos::config{.tokens = 5}, chronos::config{.tokens = 100, .special_tokens = 7}}) {
    const chronos::uniform_bins bins(c);
    for (const float edge : bins.edges())
      for (const float x : {edge, std::nextafter(edge, -1e30F), std::nextafter(edge, 1e30F)})
        CHECK(bins.id(x) == id_by_counting(bins, c, x));
  }
}

TEST_CASE("an id is what a search among the edges finds, for numbers of every size") {
  CHECK(test::holds("id is the count of edges", [] {
    const auto tokens = *rc::gen::inRange<index_t>(5, 300);
    const chronos::config c{.tokens = tokens};
    const chronos::uniform_bins bins(c);
    const auto x = static_cast<float>(*rc::gen::inRange(-2'000'000, 2'000'001) / 1e5 *
                                      std::pow(10.0, *rc::gen::element(-30, -3, 0, 0, 0, 1, 18, 22)));
    RC_ASSERT(bins.id(x) == id_by_counting(bins, c, x));
  }));
  const chronos::uniform_bins bins({});
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const float x : {inf, -inf, std::numeric_limits<float>::quiet_NaN(), 0.0F, -0.0F})
    CHECK(bins.id(x) == id_by_counting(bins, {}, x));
}

TEST_CASE("every id of a value stands for a value of that id") {
  const chronos::uniform_bins bins({});
  for (index_t id = 3; id < 4096; ++id) CHECK(bins.id(bins.value(id)) == id);
  for (const index_t special : {0, 1, 2}) CHECK(bins.value(special) == -15);
}

TEST_CASE("the worked example of six values") {
  const std::vector<std::vector<double>> x{{1, 2, 3, kGap, 0, -4}};
  const auto spans = test::spans_of(x);
  const auto got = chronos::tokenizer().encode(spans);
  CHECK(got.scale.item<float>() == 2);
  const std::vector<std::int64_t> ids{2117, 2185, 2254, 0, 2049, 1776, 1};
  const std::vector<bool> mask{true, true, true, false, true, true, true};
  REQUIRE(got.ids.numel() == 7);
  for (index_t i = 0; i < 7; ++i) {
    CHECK(got.ids[0][i].item<std::int64_t>() == ids[static_cast<std::size_t>(i)]);
    CHECK(got.mask[0][i].item<bool>() == mask[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("tokens, labels and values are those of the Python package") {
  for (const auto& [name, c] :
       {std::pair("tokens_4096.safetensors", chronos::config{.prediction_length = 16}),
        std::pair("tokens_32.safetensors", of_32_tokens())}) {
    CAPTURE(name);
    const auto file = test::chronos_fixture(name);
    const chronos::tokenizer tokens(c);
    const auto context = read(file, "context"), future = read(file, "future");
    // padded by hand as Python does it, and padded by the tokenizer
    for (const auto& rows : {test::rows_of(context), test::trimmed(test::rows_of(context))}) {
      const auto got = tokens.encode(rows);
      CHECK(same(got.ids, read(file, "ids")));
      CHECK(same(got.mask, read(file, "mask")));
      CHECK(got.scale.allclose(read(file, "scale"), 3e-7, 0));  // float32 sums there, double sums here
    }
    const auto labels = tokens.encode_labels(test::rows_of(future), read(file, "scale"));
    CHECK(same(labels.ids, read(file, "label_ids")));
    CHECK(same(labels.mask, read(file, "label_mask")));
    CHECK(same(labels.labels, read(file, "labels")));
    CHECK(same(tokens.decode(read(file, "samples"), read(file, "scale")), read(file, "values")));
  }
}

TEST_CASE("the tokens of a series do not depend on the batch that it stands in") {
  CHECK(test::holds("batched is single", [] {
    const chronos::tokenizer tokens(of_32_tokens());
    std::vector<std::vector<double>> rows;
    for (int i = *rc::gen::inRange(2, 6); i > 0; --i) {
      auto row =
          test::normals(*rc::gen::inRange<std::uint64_t>(0, 1000), *rc::gen::inRange<std::size_t>(1, 30));
      if (*rc::gen::arbitrary<bool>()) row[row.size() / 2] = kGap;
      rows.push_back(row);
    }
    const auto all = tokens.encode(test::spans_of(rows));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::vector<std::span<const double>> one{rows[i]};
      const auto single = tokens.encode(one);
      const auto row = static_cast<index_t>(i);
      RC_ASSERT(all.scale[row].item<float>() == single.scale.item<float>());
      const auto length = single.ids.size(1);
      RC_ASSERT(all.ids[row].slice(0, all.ids.size(1) - length).equal(single.ids[0]));
      RC_ASSERT(!all.mask[row].slice(0, 0, all.ids.size(1) - length).any().item<bool>());
    }
  }));
}

TEST_CASE("a value comes back within half a bin of its scale") {
  CHECK(test::holds("decode after encode", [] {
    const chronos::tokenizer tokens;
    const std::vector<std::vector<double>> rows{
        test::normals(*rc::gen::inRange<std::uint64_t>(0, 1000), *rc::gen::inRange<std::size_t>(3, 60))};
    const auto got = tokens.encode(test::spans_of(rows));
    const auto back = tokens.decode(got.ids, got.scale);
    for (std::size_t t = 0; t < rows[0].size(); ++t)
      RC_ASSERT(std::abs(back[0][static_cast<index_t>(t)].item<double>() - rows[0][t]) <=
                0.51 * 30 / 4092 * got.scale.item<double>());
  }));
}

TEST_CASE("without an end token, and padded to a length that was asked for") {
  auto c = of_32_tokens();
  c.use_eos = false;
  const std::vector<std::vector<double>> x{{1, 2, 3}};
  const auto got = chronos::tokenizer(c).encode(test::spans_of(x), 8);
  CHECK(got.ids.sizes() == at::IntArrayRef{1, 8});
  CHECK(got.mask.sum().item<int>() == 3);
  CHECK(same(got.ids.slice(1, 5), chronos::tokenizer(c).encode(test::spans_of(x)).ids));
}

TEST_CASE("the tokenizer says what it cannot encode") {
  const chronos::tokenizer tokens;
  const auto encode = [&](std::vector<std::vector<double>> rows) {
    (void)tokens.encode(test::spans_of(rows));
  };
  CHECK(message_of<usage_error>([&] { encode({}); }).find("there are no series") != std::string::npos);
  CHECK(message_of<usage_error>([&] {
          encode({{1}, {}});
        }).find("series 1 has no values") != std::string::npos);
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(message_of<data_error>([&] { encode({{1, inf}}); }).find("inf at position 1") != std::string::npos);
  CHECK(message_of<data_error>([&] { encode({{1e300}}); }).find("1e+300") != std::string::npos);
  const std::vector<std::vector<double>> uneven{{1, 2}, {1}};
  CHECK(message_of<usage_error>([&] {
          (void)tokens.encode_labels(test::spans_of(uneven), at::ones({2}));
        }).find("labels of series 1 are 1 long") != std::string::npos);
  CHECK(message_of<usage_error>([&] {
          (void)tokens.encode_labels(test::spans_of(uneven), at::ones({3}));
        }).find("2 rows of labels") != std::string::npos);
  CHECK_FALSE(message_of<usage_error>([&] { (void)tokens.decode(at::ones({2, 3}), at::ones({2})); }).empty());
}

TEST_CASE("the published configuration is the default, and comes back from what is written") {
  const auto c = chronos::config::from_json(published());
  CHECK(c == chronos::config{});
  CHECK(c.bins() == 4093);
  CHECK(chronos::config::from_json(of_32_tokens().to_json()) == of_32_tokens());
}

TEST_CASE("what is wrong with a configuration is named") {
  const auto without = [](const char* name) {
    auto fields = published();
    fields.erase(name);
    return refused(fields);
  };
  const auto with = [](const char* name, const nlohmann::json& value) {
    auto fields = published();
    fields[name] = value;
    return refused(fields);
  };
  const auto fields = published();
  for (const auto& item : fields.items())
    if (item.key() != "of_later")
      CHECK(without(item.key().c_str()).find("\"" + item.key() + "\"") != std::string::npos);
  CHECK(with("tokenizer_class", "Words").find("\"Words\"") != std::string::npos);
  CHECK(with("model_type", "causal").find("\"causal\"") != std::string::npos);
  CHECK(with("n_tokens", 4096.5).find("4096.5, which is no whole number") != std::string::npos);
  CHECK(with("use_eos_token", 1).find("no true or false") != std::string::npos);
  CHECK(with("n_tokens", 4).find("leave no two bins") != std::string::npos);
  CHECK(with("eos_token_id", 2).find("eos is 2") != std::string::npos);
  CHECK(with("context_length", 0).find("context_length is 0") != std::string::npos);
  CHECK(with("tokenizer_kwargs", {{"low_limit", 3.0}, {"high_limit", 3.0}}).find("from 3 to 3") !=
        std::string::npos);
  CHECK(with("tokenizer_kwargs", nlohmann::json::object()).find("\"low_limit\"") != std::string::npos);
  CHECK(refused({{"input_patch_size", 16}}).find("Chronos-Bolt") != std::string::npos);
  CHECK(refused(nlohmann::json::array()).find("no JSON object") != std::string::npos);
}

TEST_CASE("a configuration is read from a folder, and a file without one is told") {
  const auto folder = std::filesystem::temp_directory_path() / ("fmsb-chronos-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& text) { std::ofstream(folder / "config.json") << text; };
  const auto message = [&] { return message_of<data_error>([&] { (void)chronos::config::read(folder); }); };
  write(nlohmann::json{{"chronos_config", published()}}.dump());
  CHECK(chronos::config::read(folder) == chronos::config{});
  CHECK(chronos::config::read(folder / "config.json") == chronos::config{});
  write("{}");
  CHECK(message().find("no \"chronos_config\"") != std::string::npos);
  write("{");
  CHECK(message().find("not a JSON object") != std::string::npos);
  std::filesystem::remove_all(folder);
  CHECK(message().find("cannot be opened") != std::string::npos);
}

TEST_CASE("the configuration of a real folder is read") {
  const auto folder =
      std::filesystem::path(FMSB_SOURCE_DIR).parent_path() / "shared/reference/chronos/dummy-chronos";
  if (!std::filesystem::exists(folder)) return test::skip("the reference folders are not there");
  CHECK(chronos::config::read(folder) == chronos::config{.tokens = 32});
}
