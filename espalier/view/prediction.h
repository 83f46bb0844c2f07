#pragma once

#include <optional>
#include <string>
#include <vector>

#include <espalier/view/feature_maps.h>

namespace espalier::view {

// One image's way through a classifier.
struct Sample {
  int64_t image = 0;  // in the record's batch
  std::optional<int64_t> label = {};
  std::string prefix = {};  // of the ids of elements: unlike that of any other sample
};

// Stage by stage: feature maps before and after what acts on them, weighted sums with their largest parts,
// and the probabilities of the classes. Needs a record with values.
Html prediction(const trace::Record& record, const Sample& sample, const std::vector<std::string>& classes,
                const Arithmetic& arithmetic, const std::string& kernels, const MapsBudget& budget);

// Of the record's last stage for one image: scores made probabilities; empty where it has none.
std::vector<double> probabilities(const trace::Record& record, int64_t image);

// Room for each stage's maps when `images` are shown, so that a page stays small however deep the model is.
MapsBudget budget_for(const trace::Record& record, int64_t images);

}  // namespace espalier::view
