#include "train_support.hpp"

#include <cstdint>     // std::uint64_t
#include <filesystem>  // std::filesystem::copy_file
#include <fstream>     // std::ifstream, std::ofstream
#include <functional>  // std::function
#include <memory>      // std::unique_ptr
#include <sstream>     // std::ostringstream
#include <string>      // std::string
#include <vector>      // std::vector

#include "support/doctest.hpp"

using namespace fmsb;
using test::rows_of_numbers, test::same_bits, test::temporary_folder;
using torch::optim::AdamW, torch::optim::AdamWOptions, torch::optim::SGD, torch::optim::SGDOptions;

namespace {

using plain_model = test::small<>;
using adapted_model =
    test::small<adapt::plan<adapt::rule<adapt::names<"in">, adapt::lora<2, {.dropout = 0.2}>>,
                            adapt::rule<adapt::names<"out">, adapt::lora<3, {.bias = true}>>>>;

template <class T>
using optimiser_for = std::function<std::unique_ptr<torch::optim::Optimizer>(const nn::module<T>&)>;

constexpr std::uint64_t kSteps = 20;

train::fit_options options_for(const std::filesystem::path& file) {
  return {.steps = kSteps,
          .accumulate = 2,
          .rate = train::cosine_rate{.warm_up = 3},
          .clip_norm = 0.7,
          .validation = {.every = 3},
          .checkpoint = {.file = file, .every = 4}};
}

/// One process's part of a training: everything is made anew, as in a program that is started again.
template <class T>
struct attempt {
  nn::module<T> model{nullptr};
  train::history past;

  attempt(const optimiser_for<T>& make, const train::fit_options& options, std::uint64_t generator_seed = 1) {
    torch::manual_seed(21);
    model = nn::module<T>();
    torch::manual_seed(generator_seed);
    const auto optimiser = make(model);
    train::shuffled_rows batches(60, 14, 8);
    const rows_of_numbers data;
    const tensor held = torch::arange(60);
    past = train::fit(model, *optimiser, batches, data, options,
                      {.validate = [&](auto& m) { return data(m, held).template item<double>(); }});
  }
};

/// Stopped after each number of steps, and after several, a training ends with the bits of the undisturbed
/// one.
template <class T>
void resumes(const optimiser_for<T>& make) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const temporary_folder folder;
  const attempt<T> whole(make, options_for({}));
  REQUIRE(whole.past.steps == kSteps);

  for (const std::vector<std::uint64_t>& pauses :
       {std::vector<std::uint64_t>{1}, {4}, {7}, {kSteps - 1}, {2, 3, 9, 16}, {kSteps}}) {
    const auto file =
        folder.path / ("stopped" + std::to_string(pauses.size()) + "-" + std::to_string(pauses[0]));
    std::uint64_t seed = 1;
    for (const auto pause : pauses) {
      auto options = options_for(file);
      options.pause_at = pause;
      const attempt<T> part(make, options, seed);
      CHECK(part.past.steps == pause);
      CHECK(part.past.stopped == (pause < kSteps ? train::stop::paused : train::stop::finished));
      seed = 1000 + pause;  // a generator that stands elsewhere, until the checkpoint puts it right
    }
    const attempt<T> rest(make, options_for(file), seed);
    CHECK(same_bits(*rest.model, *whole.model));
    CHECK(rest.past.losses == whole.past.losses);
    CHECK((rest.past.validations == whole.past.validations));
    CHECK((rest.past.best == whole.past.best));
    CHECK(rest.past.batches == whole.past.batches);
    CHECK(rest.past.trained_parameters == whole.past.trained_parameters);
    CHECK(rest.past.stopped == train::stop::finished);
  }
  at::set_num_threads(threads);
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("SGD with momentum resumes to the same bits") {
  resumes<plain_model>([](const auto& model) {
    return std::make_unique<SGD>(train::trainable(model), SGDOptions(0.1).momentum(0.9).nesterov(true));
  });
}

TEST_CASE("SGD without momentum resumes to the same bits") {
  resumes<plain_model>(
      [](const auto& model) { return std::make_unique<SGD>(train::trainable(model), SGDOptions(0.1)); });
}

TEST_CASE("AdamW resumes to the same bits") {
  resumes<plain_model>([](const auto& model) {
    return std::make_unique<AdamW>(train::trainable(model), AdamWOptions(2e-2).amsgrad(true));
  });
}

TEST_CASE("AdamW over the groups of a plan, with several parameters each, resumes to the same bits") {
  resumes<adapted_model>([](const auto& model) {
    return std::make_unique<AdamW>(
        adapt::groups(model, AdamWOptions(3e-2), AdamWOptions(5e-3).weight_decay(0.1)));
  });
}

TEST_CASE("a training that was over is not trained again") {
  const temporary_folder folder;
  const optimiser_for<plain_model> adam = [](const auto& model) {
    return std::make_unique<AdamW>(train::trainable(model), AdamWOptions(2e-2));
  };
  auto options = options_for(folder.path / "run");
  options.validation = {.every = 1, .patience = 1};
  options.rate = train::constant_rate{};
  const attempt<plain_model> first(adam, options);
  const auto written = bytes_of(options.checkpoint.file);
  const attempt<plain_model> again(adam, options, 5);
  CHECK(again.past.stopped == first.past.stopped);
  CHECK(again.past.losses == first.past.losses);
  CHECK(same_bits(*again.model, *first.model));
  CHECK(bytes_of(options.checkpoint.file) == written);

  options.checkpoint.from = train::resume::never;
  options.validation.patience = 0;  // other options do not matter to a file that is not read
  CHECK(attempt<plain_model>(adam, options).past.steps == kSteps);
}

TEST_CASE("a checkpoint of other options, another type or another base is refused, and changes nothing") {
  const temporary_folder folder;
  const optimiser_for<adapted_model> adam = [](const auto& model) {
    return std::make_unique<AdamW>(adapt::groups(model, AdamWOptions(2e-2)));
  };
  const auto file = folder.path / "run";
  const auto written = [&] {
    auto options = options_for(file);
    options.pause_at = 5;
    attempt<adapted_model>(adam, options);
    return bytes_of(file);
  }();

  /// Tries to resume with another model, optimiser or options, and returns the message.
  const auto message = [&]<class T>(nn::module<T> model, auto&& optimiser, train::fit_options options,
                                    index_t batch = 14) {
    const auto before = std::dynamic_pointer_cast<nn::concrete<T>>(model->clone());
    train::shuffled_rows batches(60, batch, 8);
    const auto text = test::message_of<data_error>([&] {
      train::fit(model, optimiser, batches, rows_of_numbers{}, options,
                 {.validate = [](auto&) { return 0.0; }});
    });
    CHECK((batch != 14 || same_bits(*model, *before)));
    CHECK(optimiser.state().empty() == (batch == 14));
    CHECK(bytes_of(file) == written);
    return text;
  };
  const auto holds = [](const std::string& text, const std::string& words) {
    CAPTURE(text);
    return text.find(words) != std::string::npos;
  };
  const auto made = [] {
    torch::manual_seed(21);
    return nn::module<adapted_model>();
  };
  const auto of = [](const auto& model) { return AdamW(adapt::groups(model, AdamWOptions(2e-2))); };

  auto model = made();
  auto options = options_for(file);
  options.clip_norm = 0.8;
  auto text = message(model, of(model), options);
  CHECK(holds(text, "The checkpoint " + file.string() +
                        " was written by a training with other options: it says \"adam_w("));
  CHECK(holds(text, "clip_norm=0.7"));
  CHECK(holds(text, "clip_norm=0.8"));
  options = options_for(file);
  options.about = "vitals.csv";
  CHECK(holds(message(model, of(model), options), "patience 0; vitals.csv\". Train with the file's options"));
  text =
      message(model, AdamW(adapt::groups(model, AdamWOptions(2e-2), AdamWOptions(1e-2))), options_for(file));
  CHECK(holds(text, "adam_w(rate=0.01"));
  text = message(model, AdamW(train::trainable(model), AdamWOptions(2e-2)), options_for(file));
  CHECK(holds(text, "with other options"));  // the same parameters, in one group

  nn::module<plain_model> plain;
  text = message(plain, AdamW(train::trainable(plain), AdamWOptions(2e-2)), options_for(file));
  CHECK(holds(text,
              "cannot be resumed from. These saved parameters belong to another module. The file says \""));

  {
    const torch::NoGradGuard no_gradient;
    model->at<"in">().weight[0][0] += 1e-3;
  }
  CHECK(holds(message(model, of(model), options_for(file)),
              "was trained on other frozen parameters: their hash was "));

  model = made();
  CHECK(holds(message(model, of(model), options_for(file), 15), "60 rows in batches of 14 with seed 8"));
}

TEST_CASE("files that are no checkpoint, or are damaged, are refused in sentences") {
  const temporary_folder folder;
  const auto file = folder.path / "run";
  const optimiser_for<plain_model> adam = [](const auto& model) {
    return std::make_unique<AdamW>(train::trainable(model), AdamWOptions(2e-2));
  };
  const auto message = [&] {
    return test::message_of<data_error>([&] { attempt<plain_model>(adam, options_for(file)); });
  };
  auto options = options_for(file);
  options.pause_at = 5;
  attempt<plain_model>(adam, options);
  const auto whole = bytes_of(file);

  std::ofstream(file, std::ios::binary) << whole.substr(0, whole.size() - 100);
  CHECK(message().find(file.string()) != std::string::npos);

  const auto stored = data::open_safetensors([&] {
    std::ofstream(folder.path / "whole", std::ios::binary) << whole;
    return folder.path / "whole";
  }());
  const auto rewritten = [&](auto change) {  // the file with one tensor or text changed
    std::vector<nn::named_tensor> tensors;
    for (const auto& t : stored.tensors()) tensors.push_back({t.name, nn::tensor_of(t)});
    auto texts = stored.metadata();
    change(tensors, texts);
    nn::write_tensors(file, tensors, texts);
    return message();
  };
  const auto named = [](auto& tensors, const std::string& name) -> nn::named_tensor& {
    for (auto& t : tensors)
      if (t.name == name) return t;
    throw error("no " + name);
  };
  const auto says = [&](const std::string& text, const std::string& words) {
    CHECK(text == "The checkpoint " + file.string() + " " + words + ".");
  };
  says(rewritten([](auto&, auto& texts) { texts.erase("fmsb_fingerprint"); }),
       "is no checkpoint of a training: it has no \"fmsb_fingerprint\" among its metadata; name another "
       "file, or remove "
       "this one to train from the start");
  says(rewritten([&](auto& tensors, auto&) { named(tensors, "model.in.bias").value = torch::zeros({9}); }),
       "holds \"model.in.bias\" as [9] of Float, but here it is [8] of Float; resume with the model and "
       "optimiser that "
       "wrote it");
  says(rewritten([&](auto& tensors, auto&) {
         auto& moment = named(tensors, "optimiser.exp_avg.in.weight").value;
         moment = moment.to(torch::kDouble);
       }),
       "holds \"optimiser.exp_avg.in.weight\" as [8, 6] of Double, but here it is [8, 6] of Float; resume "
       "with the model "
       "and optimiser that wrote it");
  CHECK(rewritten([&](auto& tensors, auto&) {
          named(tensors, "optimiser.exp_avg.in.weight").name = "elsewhere";
        }).starts_with(file.string() + " has no tensor \"optimiser.exp_avg.in.weight\"; it has "));
  says(rewritten([&](auto& tensors, auto&) {
         tensors.push_back({"more", torch::zeros({2})});
       }),
       "holds \"more\" that this training has no place for; resume with the model and optimiser that wrote "
       "it");
  CHECK(rewritten([](auto&, auto& texts) { texts["fmsb_training"] = "{}"; }).find("cannot be understood: ") !=
        std::string::npos);

  std::ofstream(file, std::ios::binary) << whole;
  CHECK(attempt<plain_model>(adam, options_for(file)).past.steps == kSteps);
}

TEST_CASE("an optimiser whose state is not known trains, but not with a checkpoint file") {
  struct plain_descent : torch::optim::Optimizer {
    struct own_options : torch::optim::OptimizerCloneableOptions<own_options> {
      double rate = 0.1;
      double get_lr() const override { return rate; }
      void set_lr(double lr) override { rate = lr; }
    };
    explicit plain_descent(const std::vector<tensor>& parameters)
        : Optimizer(parameters, std::make_unique<own_options>()) {}
    tensor step(LossClosure) override {
      const torch::NoGradGuard no_gradient;
      for (auto& p : param_groups_[0].params()) p.sub_(p.grad(), param_groups_[0].options().get_lr());
      return {};
    }
  };
  const temporary_folder folder;
  const optimiser_for<plain_model> make = [](const auto& model) {
    return std::make_unique<plain_descent>(train::trainable(model));
  };
  CHECK(attempt<plain_model>(make, options_for({})).past.steps == kSteps);
  CHECK(
      test::message_of<usage_error>([&] { attempt<plain_model>(make, options_for(folder.path / "run")); }) ==
      "fmsb::train::fit keeps the state of torch::optim::AdamW and torch::optim::SGD in checkpoints. Train "
      "with one of "
      "them, or without a checkpoint file.");
}

TEST_CASE("tensors that hooks write come back with the checkpoint") {
  const temporary_folder folder;
  const auto run = [&](std::uint64_t pause_at) {
    torch::manual_seed(1);
    nn::module<plain_model> model;
    SGD sgd(train::trainable(model), SGDOptions(0.01));
    train::shuffled_rows batches(60, 20, 1);
    auto seen = torch::zeros({1}, torch::kDouble);
    train::fit(model, sgd, batches, rows_of_numbers{},
               {.steps = 9, .pause_at = pause_at, .checkpoint = {.file = folder.path / "run"}},
               {.after_step = [&](auto&, std::uint64_t step) { seen += static_cast<double>(step); },
                .kept = {{"seen", seen}}});
    return seen.item<double>();
  };
  CHECK(run(4) == 0 + 1 + 2 + 3);
  CHECK(run(0) == 36);
}

TEST_CASE(
    "the log of a resumed run has every step once, also where lines were written after the checkpoint") {
  const temporary_folder folder;
  const auto log = folder.path / "log.jsonl", file = folder.path / "run";
  const optimiser_for<plain_model> adam = [](const auto& model) {
    return std::make_unique<AdamW>(train::trainable(model), AdamWOptions(2e-2));
  };
  const auto steps = [&] {
    std::vector<std::uint64_t> out;
    std::ifstream in(log);
    for (std::string line; std::getline(in, line);) out.push_back(report::json::parse(line)["step"]);
    return out;
  };
  auto options = options_for(file);
  options.log.file = log;
  options.pause_at = 6;
  attempt<plain_model>(adam, options);
  std::ofstream(log, std::ios::app) << "{\"step\":7,\"loss\":1.0}\n{\"step\":8,\"lo";  // killed while writing
  options.pause_at = 0;
  attempt<plain_model>(adam, options);
  std::vector<std::uint64_t> all;
  for (std::uint64_t s = 1; s <= kSteps; ++s) all.push_back(s);
  CHECK(steps() == all);

  std::filesystem::remove(file);
  attempt<plain_model>(adam, options);
  CHECK(steps() == all);
}
