#pragma once
#include "fmsb/nn/tensor.hpp"  // tensor: the light door

#include <torch/nn/cloneable.h>  // torch::nn::Cloneable
#include <torch/nn/module.h>     // torch::nn::Module
#include <torch/nn/pimpl.h>      // torch::nn::ModuleHolder
#include <torch/serialize.h>     // torch::save, torch::load and their archives

/// The full door to LibTorch: modules and archives. It includes what the library's own headers need and no
/// more (about 13 s a translation unit, against 19 s for torch/torch.h); a program adds the containers and
/// optimisers that it uses, such as <torch/nn/modules/container/sequential.h> and <torch/optim/adam.h>.
