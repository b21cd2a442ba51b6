#pragma once
#include "fmsb/train/classifier.hpp"  // classifier_options
#include "fmsb/train/schedule.hpp"    // stepped_rate

#include <cstdint>  // std::uint64_t
#include <vector>   // std::vector

namespace fmsb::dash {

/// The training of a found network as in the program released with DASH (Shen et al., NeurIPS 2022): 200
/// epochs of SGD at a rate of 0.1, which falls to a fifth at fixed epochs, other ones for sequences and for
/// images.
///
/// @param axes  of the network's convolutions, 1 or 2: its `spatial_axes`
inline train::classifier_options released_training(int axes, train::classifier_options of = {}) {
  of.epochs = 200;
  of.by = train::optimiser::sgd;
  of.rate = 0.1;
  of.weight_decay = 5e-4;
  of.rate_by_epoch =
      train::stepped_rate{.milestones = axes == 1 ? std::vector<std::uint64_t>{30, 60, 90, 120, 160}
                                                  : std::vector<std::uint64_t>{60, 120, 160},
                          .gamma = 0.2};
  of.clip_norm = 1;
  of.label_smoothing = 0;
  return of;
}

}  // namespace fmsb::dash
