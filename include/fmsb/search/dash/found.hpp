#pragma once
#include "fmsb/models/backbones/conv_slot.hpp"  // points_at_run_time
#include "fmsb/models/backbones/settings.hpp"   // backbone_settings
#include "fmsb/nn/module.hpp"                   // module
#include "fmsb/search/dash/options.hpp"         // search_options
#include "fmsb/search/dash/trace.hpp"           // trace
#include "fmsb/train/history.hpp"               // history

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

namespace fmsb::dash {

/// An architecture that was weighed by the validation part.
struct candidate {
  std::vector<std::size_t> points;
  double loss = 0;  ///< of the supernet with these points alone, on the validation part
};

/// What a search found: a point for each searched place of a backbone, and how it came about.
template <nn::layer_type Supernet>
struct found {
  using supernet = Supernet;
  using space_type = typename Supernet::space_type;
  /// The backbone with points that its constructor is given.
  using network = typename Supernet::template with<models::points_at_run_time<space_type>>;

  models::backbone_settings settings{};  ///< channels and classes of the data
  std::vector<std::size_t> points;       ///< of each place, its index in the space
  trace shares;
  std::vector<candidate> candidates;  ///< the likeliest first; empty where validation was not asked
  train::history training;

  /// A network of the points, with new weights.
  nn::module<network> instantiate(double dropout = 0) const {
    auto given = settings;
    given.dropout = dropout;
    return nn::module<network>(points, given);
  }
};

}  // namespace fmsb::dash
