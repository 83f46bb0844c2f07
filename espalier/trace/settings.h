#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::trace {

// What was asked for of a run.
struct Settings {
  std::string model = {};
  std::string data = {};
  int64_t epochs = 5;
  int64_t batch_size = 64;
  uint64_t seed = 0;
  std::string optimizer = {};
  double lr = 1e-3;
  std::vector<int64_t> image;        // shape of one image as the data set holds it: [1, 28, 28]
  std::vector<std::string> classes;  // by label
};

}  // namespace espalier::trace
