#include <espalier/io/quantizer.h>

#include <cstring>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

// Of one dimension.
std::vector<double> numbers(const StoredTensor& t) {
  Array a = to_array(t);
  std::vector<double> out;
  visit_dtype(a.dtype, [&](auto type) {
    const auto* from = a.data<decltype(type)>();
    for (int64_t i = 0; i < a.numel(); ++i) out.push_back(static_cast<double>(from[i * a.strides[0]]));
  });
  return out;
}

template <class T>
void dequantize(std::span<const std::byte> bytes, const StoredTensor& t, float* out) {
  auto scale = scales(*t.quantizer), zero = zero_points(*t.quantizer);
  size_t inner = bytes.size() / sizeof(T);  // elements that follow each other in one slice
  if (auto axis = t.quantizer->axis) {
    inner = 1;
    for (size_t d = static_cast<size_t>(*axis) + 1; d < t.shape.size(); ++d)
      inner *= static_cast<size_t>(t.shape[d]);
  }
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    size_t slice = i / inner % scale.size();
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof number);
    out[i] =
        (static_cast<float>(number) - static_cast<float>(zero[slice])) * static_cast<float>(scale[slice]);
  }
}

}  // namespace

std::vector<double> scales(const Quantizer& q) { return q.axis ? numbers(q.scales) : std::vector{q.scale}; }

std::vector<double> zero_points(const Quantizer& q) {
  return q.axis ? numbers(q.zero_points) : std::vector{static_cast<double>(q.zero_point)};
}

Array dequantize(const StoredTensor& t) {
  require<DTypeError>(t.quantizer != nullptr, "dequantize: tensor '", printable(t.name), "' of type ",
                      t.type->name, " has no scale and zero point");
  Array out = Array::empty(t.shape, DType::float32);
  if (t.shape.numel() == 0) return out;
  std::string buffer;
  auto bytes = row_major_bytes(t, buffer);
  if (t.type->name == "qint8") dequantize<int8_t>(bytes, t, out.data<float>());
  else if (t.type->name == "quint8") dequantize<uint8_t>(bytes, t, out.data<float>());
  else dequantize<int32_t>(bytes, t, out.data<float>());
  return out;
}

bool operator==(const Quantizer& a, const Quantizer& b) {
  return a.axis == b.axis && scales(a) == scales(b) && zero_points(a) == zero_points(b);
}

std::string to_string(const Quantizer& q) {
  if (!q.axis) return concat("scale ", q.scale, ", zero point ", q.zero_point);
  return concat(q.scales.shape.numel(), " scales and zero points along axis ", *q.axis);
}

}  // namespace espalier::io
