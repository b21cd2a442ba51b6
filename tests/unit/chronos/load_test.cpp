#include "fmsb/models/chronos/load.hpp"  // load

#include "fmsb/adapt/beft.hpp"               // beft
#include "fmsb/models/chronos/forecast.hpp"  // forecast
#include "fmsb/models/chronos/save.hpp"      // save

#include "support/data.hpp"     // data_file, skip
#include "support/folder.hpp"   // temporary_folder
#include "support/message.hpp"  // message_of

#include <filesystem>  // std::filesystem::path
#include <fstream>     // std::ofstream
#include <string>      // std::string

#include "support/doctest.hpp"

using namespace fmsb;

namespace {

namespace fs = std::filesystem;

constexpr models::t5_config small{.vocabulary = 48,
                                  .width = 12,
                                  .feed_forward = 16,
                                  .key_width = 4,
                                  .heads = 2,
                                  .encoder_layers = 1,
                                  .decoder_layers = 1,
                                  .initializer_factor = 0.5};
using model_type = models::t5<small>;

chronos::config tokens() {
  return {.low_limit = -3,
          .high_limit = 3,
          .tokens = 48,
          .context_length = 20,
          .prediction_length = 4,
          .samples = 3};
}

/// A folder that `save` has written, with a field of its config.json changed.
fs::path folder_with(const test::temporary_folder& scratch, const char* name = nullptr,
                     const nlohmann::json& value = {}, bool of_tokenizer = false) {
  torch::manual_seed(3);
  chronos::save<small>(nn::module<model_type>(), tokens(), scratch.path);
  auto fields = models::read_model_config(scratch.path);
  if (name != nullptr) (of_tokenizer ? fields["chronos_config"] : fields)[name] = value;
  std::ofstream(scratch.path / "config.json") << fields.dump();
  return scratch.path;
}

std::string complaint(const fs::path& folder) {
  return test::message_of<data_error>([&] { chronos::load<model_type>(folder); });
}

}  // namespace

TEST_CASE("what is saved is loaded: the same forecast, tokenizer and sampling") {
  test::temporary_folder scratch;
  torch::manual_seed(3);
  nn::module<model_type> model;
  model->eval();
  chronos::save<small>(model, tokens(), scratch.path / "deep/folder");
  const auto [loaded, tokenizer] = chronos::load<model_type>(scratch.path / "deep/folder");
  CHECK_FALSE(loaded->is_training());
  CHECK(tokenizer.configuration() == tokens());
  const std::vector<double> past{1, 2, 3, 2, 1, 0, 1, 2};
  const std::span<const double> one(past);
  const auto before = chronos::forecast(*model, chronos::tokenizer(tokens()), std::span(&one, 1));
  const auto after = chronos::forecast(*loaded, tokenizer, std::span(&one, 1));
  CHECK(after.sizes() == at::IntArrayRef({1, 3, 4}));
  CHECK(after.equal(before));
}

TEST_CASE("an adapted type loads the plain folder, and forecasts as it does") {
  test::temporary_folder scratch;
  folder_with(scratch);
  using adapted = models::t5<small, adapt::plan<adapt::rule<adapt::names<"q", "v">, adapt::beft>>>;
  const auto plain = chronos::load<model_type>(scratch.path);
  const auto other = chronos::load<adapted>(scratch.path);
  const auto ids = at::arange(12, at::kLong).view({2, 6});
  const auto mask = at::ones({2, 6}, at::kBool);
  CHECK(at::allclose(plain.model->encode(ids, mask), other.model->encode(ids, mask)));
}

TEST_CASE("a folder that does not fit is refused with the file and both values") {
  test::temporary_folder scratch;
  CHECK(complaint(folder_with(scratch)) == "");
  const auto file = (scratch.path / "config.json").string();
  CHECK(complaint(folder_with(scratch, "d_model", 16)).find("d_model is 16 in the file and 12 in the type") !=
        std::string::npos);
  CHECK(complaint(folder_with(scratch, "n_tokens", 40, true)) ==
        file +
            ": \"n_tokens\" of \"chronos_config\" is 40, but the model's \"vocab_size\" is 48; tokenizer and "
            "model "
            "do not belong together.");
  CHECK(complaint(folder_with(scratch, "model_type", "causal", true)).find("seq2seq") != std::string::npos);
  CHECK(complaint(folder_with(scratch, "chronos_config", nullptr)).find("is no JSON object") !=
        std::string::npos);
  folder_with(scratch);
  fs::remove(scratch.path / "model.safetensors");
  CHECK(complaint(scratch.path).find(scratch.path.string()) != std::string::npos);
  CHECK(complaint(scratch.path / "nowhere").find("nowhere cannot be opened") != std::string::npos);
}

TEST_CASE("a tokenizer of another vocabulary is not saved with a model") {
  test::temporary_folder scratch;
  auto c = tokens();
  c.tokens = 50;
  CHECK_THROWS_AS(chronos::save<small>(nn::module<model_type>(), c, scratch.path), usage_error);
}

TEST_CASE("the dummy checkpoint of chronos-forecasting's tests loads with its tokenizer") {
  const auto found = test::data_file("../reference/chronos/dummy-chronos/model.safetensors");
  if (!found) return test::skip("reference/chronos/dummy-chronos is not there");
  using dummy = models::t5<models::t5_config{.vocabulary = 32,
                                             .width = 64,
                                             .feed_forward = 32,
                                             .key_width = 16,
                                             .heads = 1,
                                             .encoder_layers = 1,
                                             .decoder_layers = 1}>;
  const auto [model, tokenizer] = chronos::load<dummy>(found->parent_path());
  CHECK(tokenizer.configuration().tokens == 32);
  CHECK(tokenizer.configuration().context_length == 512);
  const std::vector<double> past{1, 2, 3, 4};
  const std::span<const double> one(past);
  CHECK(chronos::forecast(*model, tokenizer, std::span(&one, 1), {.horizon = 5, .samples = 2})
            .isfinite()
            .all()
            .item<bool>());
}
