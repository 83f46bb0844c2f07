#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/core/array.h>

namespace espalier::trace {

// What a classifier says of each image of the test data.
struct Predictions {
  static constexpr int64_t kMost = 5;

  int64_t classes = 0;             // that there are
  int64_t kept = 0;                // of each image, the likeliest: min(classes, kMost)
  std::vector<int32_t> label;      // N, the right class
  std::vector<float> right;        // N, the probability that the right class got
  std::vector<int32_t> top;        // N × kept, the likeliest first
  std::vector<float> probability;  // of each of these

  int64_t size() const { return static_cast<int64_t>(label.size()); }
  int32_t best(int64_t i) const { return top[i * kept]; }
  float confidence(int64_t i) const { return probability[i * kept]; }
  bool wrong(int64_t i) const { return best(i) != label[i]; }
};

void write_predictions(const std::string& path, const Predictions& predictions);
// Throws FileError that names the file and what is wrong in it.
Predictions read_predictions(const std::string& path);

// How often images of class (row) were taken for class (column), row by row.
std::vector<int64_t> confusion(const Predictions& p);

struct ClassFigures {
  int64_t images = 0;                // of this class
  double precision = 0, recall = 0;  // right among those taken for it; found among those of it. 0 for 0 of 0
};
std::vector<ClassFigures> class_figures(const Predictions& p);

// Images that were taken for another class, those with the highest probability for it first.
std::vector<int64_t> confident_mistakes(const Predictions& p, int64_t most);

// Pictures of single images of the test data, for looking at.
struct Pictures {
  std::vector<int64_t> index;   // in the test data, ascending
  Array images;                 // uint8 [n, C, H, W]
  std::vector<int64_t> traced;  // those whose way through the model is kept, in the order of that batch
  // The position of image `i` of the test data among these; -1 where it is not.
  int64_t find(int64_t i) const;
};
void write_pictures(const std::string& path, const Pictures& pictures);
Pictures read_pictures(const std::string& path);

}  // namespace espalier::trace
