#pragma once

/// Chronos, whole: a pretrained model of tokens from a Hugging Face folder, sample paths and quantiles,
/// training examples from series or from generated ones, and everything that adapts the model to new data.
/// Source: Ansari et al., "Chronos: Learning the Language of Time Series", TMLR 2024.
#include "fmsb/adapt/attach.hpp"                  // attach
#include "fmsb/adapt/beft.hpp"                    // beft
#include "fmsb/adapt/dora.hpp"                    // dora
#include "fmsb/adapt/fourier_ft.hpp"              // fourier_ft
#include "fmsb/adapt/groups.hpp"                  // groups
#include "fmsb/adapt/ia3.hpp"                     // ia3
#include "fmsb/adapt/lora.hpp"                    // lora
#include "fmsb/adapt/merge.hpp"                   // merge
#include "fmsb/adapt/norm_tuning.hpp"             // norm_tuning
#include "fmsb/adapt/peft_files.hpp"              // save_peft, load_peft
#include "fmsb/adapt/plan.hpp"                    // plan, rule, names
#include "fmsb/adapt/vera.hpp"                    // vera
#include "fmsb/data/mixup.hpp"                    // mixup
#include "fmsb/data/panel_splits.hpp"             // split_by_id
#include "fmsb/data/panel_windows.hpp"            // test_windows
#include "fmsb/data/read_panel.hpp"               // read_panel
#include "fmsb/evaluate/forecast_evaluation.hpp"  // forecast_evaluation
#include "fmsb/models/chronos/examples.hpp"       // example_sampler
#include "fmsb/models/chronos/forecast.hpp"       // forecast, quantiles
#include "fmsb/models/chronos/kernel_synth.hpp"   // kernel_synth
#include "fmsb/models/chronos/load.hpp"           // load
#include "fmsb/models/chronos/save.hpp"           // save
#include "fmsb/models/chronos/series_start.hpp"   // start_for_series
#include "fmsb/models/t5.hpp"                     // t5, chronos_t5_tiny
#include "fmsb/train/fit.hpp"                     // fit
