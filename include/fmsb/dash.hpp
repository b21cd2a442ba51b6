#pragma once

/// DASH, whole: backbones whose convolutions are searched, the search, training what was found, and its
/// report. Source: Shen, Khodak and Talwalkar, "Efficient Architecture Search for Diverse Tasks", NeurIPS
/// 2022.
#include "fmsb/data/labelled.hpp"             // labelled_set, train_examples, hold_out
#include "fmsb/models/unet_1d.hpp"            // unet_1d
#include "fmsb/models/unet_2d.hpp"            // unet_2d, unet_2d_small
#include "fmsb/models/wide_resnet_1d.hpp"     // wide_resnet_1d
#include "fmsb/models/wide_resnet_2d.hpp"     // wide_resnet_2d
#include "fmsb/search/dash/architecture.hpp"  // stack_of, header_of
#include "fmsb/search/dash/explain.hpp"       // explain
#include "fmsb/search/dash/mixed.hpp"         // mixed
#include "fmsb/search/dash/retraining.hpp"    // released_training
#include "fmsb/search/dash/search.hpp"        // search, found
#include "fmsb/search/dash/trace_report.hpp"  // trace_figure, trace_json
#include "fmsb/space/product.hpp"             // product, kernel_sizes, dilations
#include "fmsb/train/augment.hpp"             // shifted, mirrored, reverse_complements
#include "fmsb/train/classifier.hpp"          // fit_classifier
