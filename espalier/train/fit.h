#pragma once

#include <string>

#include <espalier/core/callable.h>
#include <espalier/data/loader.h>
#include <espalier/nn/module.h>
#include <espalier/optim/optimizer.h>
#include <espalier/trace/history.h>
#include <espalier/train/run.h>

namespace espalier::train {

// From a batch [N, …] to its outputs: for classification [N, classes].
using Forward = Callable<Tensor(const Tensor& x)>;
// The mean loss of a batch, a scalar.
using Loss = Callable<Tensor(const Tensor& output, const Tensor& target)>;

struct FitOptions {
  int64_t epochs = 5;
  int64_t batch_size = 64;
  const data::ImageDataset* validation = nullptr;
  optim::Optimizer optimizer = {};
  Loss loss = {};                               // cross entropy where empty
  bool shuffle = true;                          // in PyTorch's order for the seed
  int workers = 1;                              // threads that prepare batches
  std::vector<data::Transform> transform = {};  // of each image
  std::string run = {};                         // the run's folder; nothing is written where empty
  bool autocast = false;                        // compute in bfloat16 where it suits, as Autocast
  bool verbose = true;                          // the training trace on standard output
  bool progress = true;                         // a line that moves on standard error
  Settings settings = {};  // what else the run's settings say; fit fills in what it knows
};

struct Score {
  double loss = 0, accuracy = 0;  // means over the samples
};

// Trains `model` and gives the history, an entry an epoch. Throws ValueError for options that can't be;
// FileError where the run's folder exists or can't be written (a run that fails before its first epoch leaves
// no folder).
trace::History fit(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data,
                   FitOptions options);

template <class M>
trace::History fit(M& model, const data::ImageDataset& data, FitOptions options) {
  return fit(
      model.ref(), [&](const Tensor& x) { return model(x); }, data, std::move(options));
}

// Loss and accuracy on `data`, in evaluation mode and without the tape.
Score evaluate(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data,
               const FitOptions& options);

}  // namespace espalier::train
