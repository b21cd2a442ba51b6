#pragma once
#include "fmsb/core/extent.hpp"      // index_t
#include "fmsb/train/examples.hpp"   // augmentation, class_balance
#include "fmsb/train/optimiser.hpp"  // optimiser
#include "fmsb/train/options.hpp"    // checkpoint_options, log_options, on_signal
#include "fmsb/train/schedule.hpp"   // schedule, cosine_rate, stepped_rate, linear_rate

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <utility>  // std::move

namespace fmsb::dash {

/// Which gradients share the largest norm.
enum class clipping {
  weights,    ///< alpha keeps the length that `gradient_scale` gives it
  everything  ///< as released. The weights of a mixture start near zero, where their gradients are long: they
              ///< take alpha's with them, and the shares hardly move
};

/// Which examples say how the shares move.
enum class learned_from {
  train,    ///< the batch from which the weights learn, in the same pass: as released
  held_out  ///< a batch of the validation part, in a pass of its own, which doubles a step's time (Liu,
            ///< Simonyan and Yang, "DARTS", ICLR 2019, of first order): where weights can learn few examples
            ///< by heart, the loss on these says nothing any more
};

/// How a supernet is searched. Epochs are those of the search: each sees a share of the batches.
///
/// `released_search` gives the options of the program released with DASH (Shen et al., NeurIPS 2022). These
/// differ because under those the shares hardly move in a few hundred steps and the choice is that of the
/// noise: alpha's gradient is longer, and the penalty on wide fields with it; it is not clipped with those of
/// the weights; and a search epoch sees more of the data.
struct search_options {
  std::uint64_t epochs = 40;
  index_t batch = 128;
  double share = 0.5;  ///< of an epoch's batches that a search epoch sees, and one more

  train::optimiser by = train::optimiser::sgd;
  double rate = 0.1;                                    ///< of weights
  double arch_rate = 0.05;                              ///< of alpha
  double weight_decay = 5e-4;                           ///< of weights and alpha
  train::schedule rate_by_epoch{train::cosine_rate{}};  ///< factor of both rates, its steps being epochs
  std::uint64_t schedule_epochs = 0;                    ///< its total; 0: those of the search

  learned_from alpha = learned_from::train;
  double gradient_scale = 1;    ///< alpha's gradient g becomes g / (scale * norm(g)), for every place
  double field_penalty = 1e-3;  ///< times a point's receptive field, added to alpha's gradient
  double clip_norm = 1;         ///< largest norm of the gradients that are clipped; 0: any
  clipping clipped = clipping::weights;

  double first_temperature = 1, last_temperature = 1;  ///< of the Gumbel-softmax, falling geometrically
  std::size_t candidates = 1;  ///< likeliest architectures that validation chooses among

  std::uint64_t settled = 0;  ///< epochs without another choice that end the search; 0: any number
  double undecided = 0.5;     ///< mean entropy above which it goes on nevertheless

  double label_smoothing = 0;
  train::class_balance balance = train::class_balance::as_is;
  train::augmentation change{};

  std::uint64_t seed = 0;
  train::checkpoint_options checkpoint{};
  train::log_options log{};
  train::on_signal signals = train::on_signal::save_and_stop;
  std::string progress{};  ///< what the progress line calls the search; empty: no line
  at::Device device = at::kCPU;
};

/// The released search of the wide residual networks and of the 1-D UNet: 100 epochs, rates a fifth after 30,
/// 60 and 80 of them, and temperature 1 from beginning to end.
inline search_options released_search(search_options of = {}) {
  of.epochs = 100;
  of.rate_by_epoch = train::stepped_rate{.milestones = {30, 60, 80}, .gamma = 0.2};
  of.gradient_scale = 100;
  of.field_penalty = 1e-5;
  of.clipped = clipping::everything;
  of.share = 0.2;
  of.first_temperature = of.last_temperature = 1;
  of.candidates = 1;
  of.settled = 0;
  return of;
}

/// The released search of the 2-D UNets: AdamW for 60 epochs, 5 of them to warm up from a rate of 0, then
/// falling in a line that would reach 0 at epoch 65.
inline search_options released_unet_search(search_options of = {}) {
  of = released_search(std::move(of));
  of.epochs = 60;
  of.schedule_epochs = 65;
  of.by = train::optimiser::adam_w;
  of.rate = 2e-4;
  of.arch_rate = 1e-4;
  of.weight_decay = 0.05;
  of.rate_by_epoch = train::linear_rate{.warm_up = 5};
  return of;
}

}  // namespace fmsb::dash
