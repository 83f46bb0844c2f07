#pragma once

#include <functional>

#include <espalier/autograd/tensor.h>
#include <espalier/data/dataset.h>
#include <espalier/data/transforms.h>
#include <espalier/nn/module_ref.h>
#include <espalier/trace/predictions.h>
#include <espalier/trace/record.h>
#include <espalier/train/run.h>

namespace espalier::train {

// Adds what a classifier says of a batch: scores (logits) [B, classes], labels [B].
void add(trace::Predictions& predictions, const Tensor& scores, const Tensor& labels);

// Some images of the test data to look at: the most confident mistakes, and a few to follow through the model
// (the first one, mistakes, and images of other classes that it knows). Large ones are scaled down.
trace::Pictures choose_pictures(const trace::Predictions& predictions, const data::ImageDataset& data);

// How the images `pictures.traced` go through the model in evaluation mode: a record of one batch with values
// of all tensors, as far as these come to no more than some 50 MB.
trace::Record trace_pictures(nn::ModuleRef model, const Callable<Tensor(const Tensor&)>& forward,
                             const data::ImageDataset& data, const std::vector<data::Transform>& transform,
                             const trace::Pictures& pictures);

// Both for a run's folder: after an epoch, and after the last.
void keep_results(const Run& run, const trace::Predictions& predictions, const data::ImageDataset& data);
void keep_samples(const Run& run, nn::ModuleRef model, const Callable<Tensor(const Tensor&)>& forward,
                  const data::ImageDataset& data, const std::vector<data::Transform>& transform);

}  // namespace espalier::train
