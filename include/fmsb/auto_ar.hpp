#pragma once

/// Auto-AR, whole: data in, a chosen and fitted forecaster out. Source: Xu, Gupta, Cheng, Shen, Shen,
/// Talwalkar and Khodak, "Specialized Foundation Models Struggle to Beat Supervised Baselines", ICLR 2025.
#include "fmsb/data/csv.hpp"                     // read_csv
#include "fmsb/data/scaling.hpp"                 // z_scored
#include "fmsb/data/splits.hpp"                  // ett_hourly, by_ratio
#include "fmsb/evaluate/floors.hpp"              // last_value, seasonal_naive
#include "fmsb/models/ar/burg.hpp"               // fit_burg
#include "fmsb/models/ar/criteria.hpp"           // information
#include "fmsb/models/ar/direct.hpp"             // direct regression, NLinear
#include "fmsb/models/ar/exogenous.hpp"          // regression on outside columns
#include "fmsb/models/ar/fit.hpp"                // fit
#include "fmsb/models/ar/horizon_errors.hpp"     // for_each_horizon_error
#include "fmsb/models/ar/horizon_sse.hpp"        // horizon_scorer
#include "fmsb/models/ar/intervals.hpp"          // calibrate_intervals
#include "fmsb/models/ar/linear_forecaster.hpp"  // linear_forecaster
#include "fmsb/models/ar/model.hpp"              // model
#include "fmsb/models/ar/score.hpp"              // score
#include "fmsb/models/ar/stream.hpp"             // stream
#include "fmsb/models/ar/yule_walker.hpp"        // fit_yule_walker
#include "fmsb/models/ar/zero_shot.hpp"          // for_each_zero_shot_error
#include "fmsb/search/auto_ar/best.hpp"          // best_search
#include "fmsb/search/auto_ar/order_search.hpp"  // order_search
