/// Tensors and automatic differentiation: the part of LibTorch that the learner uses, precompiled.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace anthill {
using at::Tensor;
}
