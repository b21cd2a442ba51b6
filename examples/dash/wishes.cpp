#include "wishes.hpp"

#include <algorithm>  // std::max, std::min

namespace driver {

search_wishes released_search() {
  return {.released = true, .epochs = 100, .share = 0.2, .field_penalty = 1e-5};
}

training_wishes released_training() { return {.released = true, .epochs = 200}; }

fmsb::report::json to_json(const search_wishes& of) {
  return {{"preset", of.released ? "released" : "fmsb"},
          {"epochs", of.epochs},
          {"seed", of.seed},
          {"batch", of.batch},
          {"share", of.share},
          {"rate", of.rate},
          {"arch_rate", of.arch_rate},
          {"last_temperature", of.last_temperature},
          {"field_penalty", of.field_penalty},
          {"alpha_from", of.alpha_from_validation ? "validation" : "train"},
          {"label_smoothing", of.label_smoothing},
          {"candidates", of.candidates},
          {"equal_classes", of.equal_classes},
          {"augment", of.augment}};
}

fmsb::report::json to_json(const training_wishes& of) {
  return {{"preset", of.released ? "released" : "fmsb"},
          {"epochs", of.epochs},
          {"batch", of.batch},
          {"rate", of.rate},
          {"dropout", of.dropout},
          {"weight_decay", of.weight_decay},
          {"label_smoothing", of.label_smoothing},
          {"equal_classes", of.equal_classes},
          {"augment", of.augment}};
}

std::uint64_t batches_an_epoch(std::int64_t batch, std::size_t examples) {
  const auto all = static_cast<std::int64_t>(examples);
  return static_cast<std::uint64_t>(all / std::max<std::int64_t>(1, std::min(batch, all)));
}

}  // namespace driver
