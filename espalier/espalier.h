#pragma once

// All of Espalier.
#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/gradcheck.h>
#include <espalier/autograd/record.h>
#include <espalier/autograd/tensor.h>
#include <espalier/core/allocator.h>
#include <espalier/core/error.h>
#include <espalier/core/random.h>
#include <espalier/core/threads.h>
#include <espalier/core/version.h>
#include <espalier/io/file.h>
#include <espalier/io/safetensors.h>
#include <espalier/ops/arithmetic.h>
#include <espalier/ops/copy.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/clip.h>
#include <espalier/optim/lr_scheduler.h>
#include <espalier/optim/sgd.h>
#include <espalier/trace/record.h>
#include <espalier/trace/tracer.h>
