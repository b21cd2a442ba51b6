#include "fmsb/core/error.hpp"       // usage_error, data_error
#include "fmsb/data/csv.hpp"         // read_csv
#include "fmsb/report/progress.hpp"  // progress
#include "fmsb/report/table.hpp"     // table, fixed, grouped

#include "forecaster.hpp"
#include "options.hpp"

#include <torch/optim/adam.h>

#include <algorithm>  // std::find
#include <chrono>     // std::chrono::steady_clock
#include <cmath>      // std::isnan
#include <optional>   // std::optional
#include <string>     // std::string
#include <tuple>      // std::tuple
#include <vector>     // std::vector

namespace adapters {

namespace {

using report::fixed, report::grouped;

/// A method by name, the plan that makes it, and the learning rate of its few numbers.
template <class Plan>
struct method {
  using plan = Plan;
  const char* name;
  double learning_rate;
  bool has_peft_file = true;
};
template <class... Adapters>
using on_maps = adapt::plan<adapt::rule<adapt::names<"wi", "wo">, Adapters...>>;

constexpr std::tuple kMethods{
    method<on_maps<adapt::lora<2>>>{"lora", 1e-3},
    method<on_maps<adapt::dora<2>>>{"dora", 1e-3},
    method<on_maps<adapt::vera<64, {.max_in = kWidth, .max_out = kWidth}>>>{"vera", 1e-2},
    method<on_maps<adapt::fourier_ft<100, {.starts_as_base = true}>>>{"fourier_ft", 1e-2},
    method<on_maps<adapt::ia3<>>>{"ia3", 1e-2},
    method<on_maps<adapt::bitfit>>{"bitfit", 3e-3, false},
    method<adapt::plan<adapt::rule<adapt::names<"norm">, adapt::norm_tuning>>>{"norm_tuning", 3e-3},
    method<adapt::none>{"full", 3e-4},
};

/// Standardised values of one column, [rows].
tensor column(const data::series& x, std::size_t c, std::size_t trained_rows) {
  std::vector<double> v(x.channel(c).begin(), x.channel(c).end());
  for (std::size_t t = 0; t < v.size(); ++t)
    if (std::isnan(v[t]))
      throw data_error("Column \"" + x.names()[c] + "\" has no number in row " + std::to_string(t + 1) +
                       "; fill or cut the gap first.");
  const auto all = nn::vector_view(v).clone();
  const auto seen = all.slice(0, 0, static_cast<index_t>(trained_rows));
  const double deviation = seen.std(/*unbiased=*/false).item<double>();
  if (deviation == 0) throw data_error("Column \"" + x.names()[c] + "\" is constant where it is trained on.");
  return ((all - seen.mean()) / deviation).to(torch::kFloat);
}

/// All windows of a stretch, without a copy: [windows, kContext + kHorizon].
tensor windows_of(const tensor& values) { return values.unfold(0, kContext + kHorizon, 1); }

template <class Model>
tensor squared_error(Model& model, const tensor& windows) {
  return (model->forward(windows.slice(1, 0, kContext)) - windows.slice(1, kContext)).square().mean();
}

template <class Model>
double test_error(Model& model, const tensor& windows) {
  const torch::NoGradGuard no_gradient;
  model->eval();
  const double error = squared_error(model, windows).template item<double>();
  model->train();
  return error;
}

template <class Model>
void train(Model& model, const tensor& windows, std::size_t steps, double rate, report::progress& shown) {
  std::vector<tensor> trained;
  for (const auto& p : model->parameters())
    if (p.requires_grad()) trained.push_back(p);
  torch::optim::Adam adam(trained, rate);
  for (std::size_t step = 0; step < steps; ++step) {
    const auto batch = windows.index_select(0, torch::randint(windows.size(0), {64}, torch::kLong));
    adam.zero_grad();
    squared_error(model, batch).backward();
    adam.step();
    shown.advance();
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

struct outcome {
  std::string name, tree;
  nn::parameter_counts counts;
  double error = 0, merged_error = 0, seconds = 0;
};

template <class Method>
std::optional<outcome> adapted(const Method& how, const options& wanted, const nn::module<forecaster<>>& base,
                               const tensor& few, const tensor& test, report::progress& shown) {
  if (!wanted.takes(how.name)) return {};
  using model_type = forecaster<typename Method::plan>;
  torch::manual_seed(wanted.seed);
  const auto began = std::chrono::steady_clock::now();
  auto model = adapt::attach<model_type>(base);
  train(model, few, wanted.steps, how.learning_rate, shown);
  outcome out{.name = how.name, .tree = {}, .counts = nn::count_parameters(*model)};
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  out.error = test_error(model, test);
  auto merged = adapt::merge(model);
  out.merged_error = test_error(merged, test);
  if (wanted.tree) out.tree = how.name + ("\n" + nn::tree(*model)) + "\n";
  if constexpr (!std::same_as<typename Method::plan, adapt::none>)
    if (!wanted.save.empty() && how.has_peft_file) adapt::save_peft(model, wanted.save / how.name);
  return out;
}

}  // namespace

std::string run(const options& wanted) {
  at::set_num_threads(1);
  const auto series = data::read_csv(wanted.csv);
  const auto& names = series.names();
  const std::string file = wanted.csv.filename().string();
  const auto target =
      std::find(names.begin(), names.end(), wanted.target.empty() ? names.back() : wanted.target);
  if (target == names.end())
    throw usage_error("--target: there is no column \"" + wanted.target + "\" in " + file + "; there are " +
                      listed(names) + ".");
  if (names.size() < 2) throw data_error(file + " has one column; another one is needed to pretrain on.");
  const auto c = static_cast<std::size_t>(target - names.begin());
  const std::size_t span = kContext + kHorizon, train_rows = series.length() * 7 / 10;
  if (wanted.rows < span + 1 || train_rows < wanted.rows || series.length() - train_rows < span)
    throw data_error(file + " has " + grouped(series.length()) + " rows, " + grouped(train_rows) +
                     " of them to train on; --rows " + std::to_string(wanted.rows) + " and windows of " +
                     std::to_string(span) + " rows do not fit.");

  torch::manual_seed(wanted.seed);
  std::vector<tensor> others;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (i != c)
      others.push_back(
          windows_of(column(series, i, train_rows).slice(0, 0, static_cast<index_t>(train_rows))));
  const auto pretraining = torch::cat(others);
  const auto values = column(series, c, train_rows);
  const auto rows = static_cast<index_t>(train_rows);
  const auto few = windows_of(values.slice(0, rows - static_cast<index_t>(wanted.rows), rows));
  const auto test = windows_of(values.slice(0, rows - kContext));

  const std::size_t methods =
      std::apply([&](const auto&... how) { return (std::size_t{wanted.takes(how.name)} + ...); }, kMethods);
  std::optional<report::progress> shown(std::in_place, "adapters",
                                        wanted.pretraining_steps + methods * wanted.steps);
  nn::module<forecaster<>> base;
  train(base, pretraining, wanted.pretraining_steps, 1e-3, *shown);
  const double before = test_error(base, test);
  const double last =
      (test.slice(1, kContext - 1, kContext) - test.slice(1, kContext)).square().mean().item<double>();

  std::vector<outcome> outcomes;
  std::apply(
      [&](const auto&... how) {
        const auto keep = [&](auto found) {
          if (found) outcomes.push_back(*found);
        };
        (keep(adapted(how, wanted, base, few, test, *shown)), ...);
      },
      kMethods);
  shown.reset();

  std::string text;
  for (const auto& o : outcomes) text += o.tree;
  text += names[c] + " from " + std::to_string(names.size() - 1) + " other columns, " + grouped(wanted.rows) +
          " rows to adapt on, " + grouped(static_cast<std::uint64_t>(test.size(0))) + " test windows\n\n";
  report::table out({"method", "trained", "share %", "test MSE", "merged", "seconds"});
  out.add({"last value", "0", "0", fixed(last, 4), "-", "-"});
  out.add({"pretrained, as it is", "0", "0", fixed(before, 4), "-", "-"});
  const auto all = static_cast<double>(nn::count_parameters(*base).all);
  for (const auto& o : outcomes)
    out.add({o.name, grouped(static_cast<std::uint64_t>(o.counts.trainable)),
             fixed(100 * static_cast<double>(o.counts.trainable) / all, 2), fixed(o.error, 4),
             fixed(o.merged_error, 4), fixed(o.seconds, 1)});
  return text + out.text();
}

}  // namespace adapters
