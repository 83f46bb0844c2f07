#pragma once

#include <espalier/ops/activation.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/math.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/pool.h>
#include <espalier/ops/softmax.h>

// What PyTorch has in torch.nn.functional.
namespace espalier::nn {

using espalier::adaptive_avg_pool2d;
using espalier::avg_pool2d;
using espalier::conv2d;
using espalier::elu;
using espalier::gelu;
using espalier::hardtanh;
using espalier::leaky_relu;
using espalier::linear;
using espalier::log_softmax;
using espalier::max_pool2d;
using espalier::relu;
using espalier::relu6;
using espalier::sigmoid;
using espalier::silu;
using espalier::softmax;
using espalier::softplus;
using espalier::tanh;

}  // namespace espalier::nn
