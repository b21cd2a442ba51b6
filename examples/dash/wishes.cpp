#include "wishes.hpp"

#include <algorithm>  // std::max, std::min

namespace driver {

fmsb::report::json to_json(const search_wishes& of) {
  return {{"epochs", of.epochs},
          {"seed", of.seed},
          {"batch", of.batch},
          {"share", of.share},
          {"rate", of.rate},
          {"arch_rate", of.arch_rate},
          {"candidates", of.candidates},
          {"equal_classes", of.equal_classes}};
}

fmsb::report::json to_json(const training_wishes& of) {
  return {{"epochs", of.epochs},
          {"batch", of.batch},
          {"rate", of.rate},
          {"dropout", of.dropout},
          {"equal_classes", of.equal_classes}};
}

std::uint64_t batches_an_epoch(std::int64_t batch, std::size_t examples) {
  const auto all = static_cast<std::int64_t>(examples);
  return static_cast<std::uint64_t>(all / std::max<std::int64_t>(1, std::min(batch, all)));
}

}  // namespace driver
