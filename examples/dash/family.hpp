#pragma once
#include "fmsb/data/labelled.hpp"             // train_examples, labelled_set
#include "fmsb/report/convolution_stack.hpp"  // convolution_stack
#include "fmsb/report/figure.hpp"             // figure
#include "fmsb/report/json.hpp"               // json
#include "fmsb/report/write_header.hpp"       // architecture_header
#include "fmsb/search/dash/trace.hpp"         // trace
#include "fmsb/train/history.hpp"             // history

#include "wishes.hpp"  // search_wishes, training_wishes

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <string>   // std::string
#include <utility>  // std::pair
#include <vector>   // std::vector

namespace driver {

struct search_outcome {
  std::vector<std::size_t> points;  ///< of each place, its index in the space
  fmsb::dash::trace shares;
  std::vector<std::pair<std::vector<std::size_t>, double>> candidates;  ///< with their validation losses
  fmsb::train::history training;
};

struct training_outcome {
  fmsb::train::history training;
  std::int64_t parameters = 0;
  std::vector<float> probabilities;  ///< [examples, classes] of the examples to be scored
};

/// A backbone and a space that were compiled together, for any number of channels and classes.
class family {
 public:
  family() = default;
  family(const family&) = delete;
  family& operator=(const family&) = delete;
  virtual ~family() = default;

  virtual int axes() const = 0;  ///< 1: sequences, 2: images
  virtual std::size_t places() const = 0;
  virtual std::vector<std::string> points() const = 0;           ///< of the space, as "k3 d1"
  virtual std::vector<std::pair<int, int>> kernels() const = 0;  ///< the same as kernel and dilation
  virtual search_outcome search(const fmsb::data::train_examples& train,
                                const fmsb::data::validation_examples& validation,
                                const search_wishes& wanted) const = 0;
  /// Trains a network of some points, or the plain backbone where there are none.
  virtual training_outcome train(const std::vector<std::size_t>& points,
                                 const fmsb::data::train_examples& train,
                                 const fmsb::data::validation_examples& validation,
                                 const fmsb::data::labelled_set& scored,
                                 const training_wishes& wanted) const = 0;
  virtual fmsb::report::convolution_stack stack(const std::vector<std::size_t>& points,
                                                std::size_t channels) const = 0;
  virtual fmsb::report::architecture_header header(const std::vector<std::size_t>& points,
                                                   std::size_t channels, std::string name,
                                                   std::vector<std::string> provenance) const = 0;
  virtual fmsb::report::figure trace_figure(const fmsb::dash::trace& of) const = 0;
  virtual fmsb::report::figure entropy_figure(const fmsb::dash::trace& of) const = 0;
  virtual fmsb::report::json trace_json(const fmsb::dash::trace& of) const = 0;
};

}  // namespace driver
