#include "floors.hpp"

#include "fmsb/data/one_hot.hpp"                       // one_hot_rows
#include "fmsb/models/floors/kmer_counts.hpp"          // kmer_counts
#include "fmsb/models/floors/logistic_regression.hpp"  // logistic_regression
#include "fmsb/models/floors/nearest_neighbour.hpp"    // nearest_neighbour
#include "fmsb/models/floors/random_convolution.hpp"   // random_convolution_classifier

#include "scores.hpp"  // scores_of

#include <ATen/ops/from_blob.h>  // at::from_blob

#include <chrono>      // std::chrono::steady_clock
#include <functional>  // std::function

namespace driver {

namespace {

using namespace fmsb;

/// [examples, numbers]; sees the numbers of the set, which must live as long.
tensor matrix_of(const data::labelled_set& all) {
  return at::from_blob(const_cast<float*>(all.values().data()),
                       {static_cast<index_t>(all.size()), static_cast<index_t>(all.numbers_each())},
                       at::kFloat);
}

std::vector<std::string> letters_of(const data::labelled_set& all) {
  const std::size_t length = all.shape()[1];
  std::vector<std::string> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string text(length, '-');
    const auto values = all.values(i);
    for (std::size_t row = 0; row < data::one_hot_rows.size(); ++row)
      for (std::size_t k = 0; k < length; ++k)
        if (values[row * length + k] == 1) text[k] = data::one_hot_rows[row];
    out.push_back(std::move(text));
  }
  return out;
}

/// [examples, 256] shares of words of four letters.
tensor words_of(const data::labelled_set& all) {
  const models::kmer_counts counts(letters_of(all), 4);
  return at::from_blob(const_cast<float*>(counts.shares.data()),
                       {static_cast<index_t>(counts.texts), static_cast<index_t>(counts.words)}, at::kFloat)
      .clone();
}

using predictor = std::function<std::vector<int>()>;

void add(report::json& report, const dataset& of, const std::string& name, const predictor& predict) {
  auto& outcome = outcome_called(report, name);
  if (outcome.contains("runs")) return;
  const auto begin = std::chrono::steady_clock::now();
  const auto predicted = predict();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  outcome["parameters"] = 0;
  outcome["options"] = report::json::object();
  outcome["runs"] = {{{"seed", 0}, {"seconds", seconds}, {"scores", scores_of(of, predicted)}}};
}

std::vector<int> logistic(const data::labelled_set& train, const tensor& seen, const tensor& asked) {
  models::logistic_regression model;
  model.fit(seen, train.labels(), train.classes_count());
  return model.predict(asked);
}

}  // namespace

void add_floors(report::json& report, const dataset& of, const family& network) {
  const auto& train = of.train.members();
  const auto& test = of.test.members();
  add(report, of, "random convolution", [&] {
    std::vector<models::kernel_shape> shapes;
    for (const auto& [kernel, dilation] : network.kernels()) shapes.push_back({kernel, dilation});
    models::random_convolution_options options;
    // An axis cannot be pooled in more parts than it has places.
    const auto& shape = train.shape();
    if (*std::min_element(shape.begin() + 1, shape.end()) < 12) options.segments = {1, 2};
    models::random_convolution_classifier model(shapes, options);
    model.fit(of.train);
    return model.predict(test);
  });
  add(report, of, "logistic regression", [&] { return logistic(train, matrix_of(train), matrix_of(test)); });
  if (network.axes() == 1)
    add(report, of, "4-mers, logistic", [&] { return logistic(train, words_of(train), words_of(test)); });
  add(report, of, "nearest neighbour", [&] {
    models::nearest_neighbour model;
    model.fit(matrix_of(train), train.labels(), train.classes_count());
    return model.predict(matrix_of(test));
  });
}

}  // namespace driver
