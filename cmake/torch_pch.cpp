#include "fmsb/nn/torch.hpp"  // the full door; this file exists to carry the precompiled header
