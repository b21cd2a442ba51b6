#pragma once
#include "fmsb/data/series.hpp"             // data::series
#include "fmsb/evaluate/forecasting.hpp"    // metrics::forecast_errors
#include "fmsb/evaluate/intervals.hpp"      // metrics::interval_scores
#include "fmsb/models/ar/model.hpp"         // ar::model
#include "fmsb/search/auto_ar/verdict.hpp"  // ar::verdict

#include <cstddef>   // std::size_t
#include <cstdint>   // std::uint32_t
#include <optional>  // std::optional
#include <string>    // std::string
#include <vector>    // std::vector

namespace auto_ar {

/// Prediction intervals of one level: offsets from the forecast in z-scored units, and how they fared on
/// test.
struct interval_result {
  double level = 0;
  std::vector<std::vector<double>> lower, upper;  ///< [channels][horizon]
  fmsb::metrics::interval_scores on_test;
  std::vector<double> coverage_by_step;
};

/// A forecast that somebody else makes without a model, or another criterion's choice.
struct rival {
  std::string name;
  fmsb::metrics::forecast_errors errors;
};

/// What another criterion would have chosen.
struct alternative {
  fmsb::ar::verdict verdict;
  fmsb::metrics::forecast_errors errors;
};

struct horizon_result {
  std::size_t horizon = 0;
  std::string method;                        ///< in words
  std::optional<fmsb::ar::verdict> verdict;  ///< where an order was chosen
  std::optional<fmsb::ar::model> model;      ///< where one autoregression serves all channels
  std::vector<double> autoregression_strengths, direct_strengths;  ///< of partial pooling, one a channel
  fmsb::metrics::forecast_errors errors;                           ///< on test, z-scored
  std::vector<rival> floors;
  std::vector<alternative> alternatives;
  std::optional<fmsb::metrics::forecast_errors> zero_shot;
  std::vector<interval_result> intervals;
  std::vector<std::vector<double>>
      last_window;  ///< [channels][horizon], forecast of the last test window, own units
  std::vector<std::vector<double>> future;  ///< [channels][horizon], after the end of the file, own units
  double select_seconds = 0, test_seconds = 0;
};

/// What the file held.
struct data_result {
  std::uint32_t checksum = 0;
  std::size_t bytes = 0, rows = 0, channels = 0, used_rows = 0;
  std::string step;  ///< "hourly"; empty without timestamps
  std::string first_time, last_time;
  std::vector<std::string> remarks;  ///< gaps, sentinels, constant channels, repeats, one sentence each
  std::size_t train = 0, validation = 0, test = 0;
  std::string split;
  std::size_t season = 0;
  double read_seconds = 0;
};

struct results {
  data_result data;
  fmsb::data::series series;      ///< own units, filled, all rows
  std::size_t test_last = 0;      ///< rows of the series that the split uses
  std::vector<double> deviation;  ///< one a channel, of the train rows
  std::vector<horizon_result> horizons;
  std::string isa;
  std::size_t threads = 0;
  double total_seconds = 0;
};

}  // namespace auto_ar
