#pragma once

#include <optional>

#include <espalier/io/stored_tensor.h>

namespace espalier::io {

// How the whole numbers of a quantised tensor (qint8, quint8, qint32) stand for real ones:
//   value = scale * (number - zero_point)
struct Quantizer {
  double scale = 1;
  int64_t zero_point = 0;
  std::optional<int64_t> axis = {};       // where each slice along it has a scale and zero point of its own,
  StoredTensor scales, zero_points = {};  // these, of one dimension
};

// The values that a quantised tensor stands for, as float32. Throws DTypeError for any other.
Array dequantize(const StoredTensor& tensor);

// The scales (or zero points, exact up to 2^53) of the slices, or the one of all.
std::vector<double> scales(const Quantizer& quantizer);
std::vector<double> zero_points(const Quantizer& quantizer);

// Whether the same numbers stand for the same values.
bool operator==(const Quantizer& a, const Quantizer& b);

// "scale 0.1, zero point 3", or "64 scales and zero points along axis 0".
std::string to_string(const Quantizer& quantizer);

}  // namespace espalier::io
