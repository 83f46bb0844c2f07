#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <espalier/trace/record.h>
#include <espalier/view/html.h>

// Feature maps of a record with values, as pictures that know how each of their pixels was computed.
namespace espalier::view {

// How a page's room is shared out among what it shows.
struct MapsBudget {
  int64_t pixels = 50'000;       // of one stage's maps
  int64_t arithmetic = 700'000;  // characters of values for all stages and images of the page
};

// A convolution whose arithmetic a page can show.
struct ConvStage {
  int64_t input = -1, weight = -1, bias = -1, output = -1;  // tensors
  std::vector<int64_t> stride, padding, dilation;
  int64_t groups = 1;
};
// The one convolution that a stage makes, where its tensors have values.
std::optional<ConvStage> conv_stage(const trace::Record& record, int64_t stage);

// Which stages of the record get their values into the page, in order, for `images` of the batch.
class Arithmetic {
 public:
  Arithmetic(const trace::Record& record, int64_t images, const MapsBudget& budget);

  // What all images share: weights. Stands once in a page.
  Html kernels(const std::string& prefix) const;
  // Attributes' values for one image's figure; none where the stage isn't in the page.
  struct Values {
    std::string kernel;                      // id of the element with the weights
    std::string input, output;               // as data URLs of 16-bit integers
    double input_unit = 0, output_unit = 0;  // what one of these integers stands for
  };
  std::optional<Values> of(const std::string& prefix, int64_t stage, int64_t image) const;

 private:
  const trace::Record& record_;
  std::map<int64_t, ConvStage> stages_;
};

// The maps of a stage's output [N, C, H, W] for one image: as many as there is room for.
Html feature_maps(const trace::Record& record, int64_t stage, int64_t image, const MapsBudget& budget,
                  const std::string& id, const std::optional<Arithmetic::Values>& values);

// Values of one image of a tensor, in row-major order; empty where they were not kept.
std::vector<float> values_of(const trace::TensorInfo& tensor, int64_t image);

}  // namespace espalier::view
