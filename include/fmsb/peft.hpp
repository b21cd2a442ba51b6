#pragma once

/// Parameter-efficient fine-tuning, whole: typed layers, adapters as mixins, plans, merging, and the files
/// that Python's peft reads and writes.
#include "fmsb/adapt/ada_lora.hpp"     // ada_lora
#include "fmsb/adapt/attach.hpp"       // attach
#include "fmsb/adapt/bank.hpp"         // bank
#include "fmsb/adapt/beft.hpp"         // beft
#include "fmsb/adapt/bitfit.hpp"       // bitfit
#include "fmsb/adapt/dora.hpp"         // dora
#include "fmsb/adapt/fourier_ft.hpp"   // fourier_ft
#include "fmsb/adapt/groups.hpp"       // groups
#include "fmsb/adapt/ia3.hpp"          // ia3
#include "fmsb/adapt/lora.hpp"         // lora
#include "fmsb/adapt/merge.hpp"        // merge
#include "fmsb/adapt/norm_tuning.hpp"  // norm_tuning
#include "fmsb/adapt/peft_files.hpp"   // save_peft, load_peft
#include "fmsb/adapt/plan.hpp"         // plan, rule, names
#include "fmsb/adapt/vera.hpp"         // vera
#include "fmsb/nn/attention.hpp"       // multi_head_attention
#include "fmsb/nn/batch_norm.hpp"      // batch_norm
#include "fmsb/nn/check_module.hpp"    // check_module
#include "fmsb/nn/composite.hpp"       // composite, sequential
#include "fmsb/nn/conv.hpp"            // conv1d, conv2d
#include "fmsb/nn/dropout.hpp"         // dropout
#include "fmsb/nn/embedding.hpp"       // embedding
#include "fmsb/nn/layer_norm.hpp"      // layer_norm
#include "fmsb/nn/linear.hpp"          // linear
#include "fmsb/nn/module.hpp"          // module
#include "fmsb/nn/repeat.hpp"          // repeat
#include "fmsb/nn/rms_norm.hpp"        // rms_norm
#include "fmsb/nn/state_dict.hpp"      // load_state, save_state
#include "fmsb/nn/tree.hpp"            // tree
#include "fmsb/nn/with.hpp"            // with
