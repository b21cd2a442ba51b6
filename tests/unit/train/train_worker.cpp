/// train_worker FOLDER STEPS: trains a small model with a checkpoint after every step, says on standard
/// output when training begins, and writes the trained numbers to FOLDER/weights.safetensors. Started again
/// after it was killed, it goes on.
#include "fmsb/nn/state_dict.hpp"

#include "train_support.hpp"

#include <cstdlib>   // std::strtoull
#include <iostream>  // std::cout

using namespace fmsb;

int main(int, char** arguments) {
  const std::filesystem::path folder = arguments[1];
  at::set_num_threads(1);
  torch::manual_seed(4);
  nn::module<test::small<>> model;
  torch::optim::AdamW adam(train::trainable(model), torch::optim::AdamWOptions(1e-2));
  train::shuffled_rows batches(60, 8, 3);
  const test::rows_of_numbers data;
  const tensor held = torch::arange(60);
  bool began = false;
  const auto past = train::fit(model, adam, batches,
                               [&](auto& m, const tensor& rows) {
                                 if (!began) std::cout << 'b' << std::flush;
                                 began = true;
                                 return data(m, rows);
                               },
                               {.steps = std::strtoull(arguments[2], nullptr, 10),
                                .accumulate = 2,
                                .rate = train::linear_rate{.warm_up = 5},
                                .validation = {.every = 10},
                                .checkpoint = {.file = folder / "run.safetensors", .every = 1},
                                .log = {.file = folder / "log.jsonl"}},
                               {.validate = [&](auto& m) { return data(m, held).template item<double>(); }});
  if (past.stopped == train::stop::finished) nn::save_state(model, folder / "weights.safetensors");
  return past.exit_code();
}
