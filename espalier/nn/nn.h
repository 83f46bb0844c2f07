#pragma once

// Modules, layers and losses.
#include <espalier/nn/activation.h>
#include <espalier/nn/attention.h>
#include <espalier/nn/conv.h>
#include <espalier/nn/dropout.h>
#include <espalier/nn/embedding.h>
#include <espalier/nn/functional.h>
#include <espalier/nn/init.h>
#include <espalier/nn/linear.h>
#include <espalier/nn/loss.h>
#include <espalier/nn/module.h>
#include <espalier/nn/norm.h>
#include <espalier/nn/pool.h>
#include <espalier/nn/rnn.h>
#include <espalier/nn/rnn_cell.h>
#include <espalier/nn/sequential.h>
#include <espalier/nn/shape.h>
#include <espalier/nn/transformer.h>
