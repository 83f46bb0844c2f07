#pragma once

#include <espalier/ops/activation.h>
#include <espalier/ops/attention.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/dropout.h>
#include <espalier/ops/embedding.h>
#include <espalier/ops/loss.h>
#include <espalier/ops/math.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/norm.h>
#include <espalier/ops/pool.h>
#include <espalier/ops/rnn.h>
#include <espalier/ops/softmax.h>

// What PyTorch has in torch.nn.functional.
namespace espalier::nn {

using espalier::adaptive_avg_pool2d;
using espalier::avg_pool2d;
using espalier::batch_norm;
using espalier::binary_cross_entropy_with_logits;
using espalier::conv2d;
using espalier::cross_entropy;
using espalier::dropout;
using espalier::elu;
using espalier::embedding;
using espalier::gelu;
using espalier::hardtanh;
using espalier::l1_loss;
using espalier::layer_norm;
using espalier::leaky_relu;
using espalier::linear;
using espalier::log_softmax;
using espalier::max_pool2d;
using espalier::mse_loss;
using espalier::nll_loss;
using espalier::Reduction;
using espalier::relu;
using espalier::relu6;
using espalier::scaled_dot_product_attention;
using espalier::sigmoid;
using espalier::silu;
using espalier::softmax;
using espalier::softplus;
using espalier::tanh;

}  // namespace espalier::nn
