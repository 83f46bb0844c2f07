#include <espalier/kernels/conv_parts.h>

#include <algorithm>
#include <bit>

namespace espalier::kernels {
namespace {

// Multiply-adds: a part takes ten microseconds at least, and a hundred where there are many parts. Bytes.
constexpr double kLeast = 1 << 18, kEnough = 1 << 22;
constexpr int64_t kFewParts = 4, kMostParts = 32, kMostWeights = 1 << 20;

int64_t count_parts(const Array& w, const Array& y) {
  if (y.dtype != DType::float32 || w.bytes() > kMostWeights) return 1;
  double work = static_cast<double>(y.numel()) * static_cast<double>(w.numel() / w.shape[0]);
  double wanted = std::min(work / kLeast, std::max<double>(kFewParts, work / kEnough));
  return static_cast<int64_t>(
      std::bit_floor(static_cast<uint64_t>(std::clamp<double>(wanted, 1, kMostParts))));
}

// Items [begin, end) of a dimension.
Array slice(const Array& x, int dim, int64_t begin, int64_t end) {
  Shape shape = x.shape;
  shape[dim] = end - begin;
  return x.view(shape, x.strides, x.offset + begin * x.strides[dim]);
}

// Calls add(begin, end) for `parts` ranges of [0, n), or as many as it can have.
template <class Add>
void each_range(int64_t n, int64_t parts, Add&& add) {
  int64_t most = (n + parts - 1) / parts;
  for (int64_t begin = 0; begin < n; begin += most) add(begin, std::min(begin + most, n));
}

}  // namespace

std::vector<ConvPart> parts_of_images(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
  std::vector<ConvPart> out;
  each_range(y.shape[0], count_parts(w, y), [&](int64_t begin, int64_t end) {
    out.push_back({slice(x, 0, begin, end), slice(y, 0, begin, end), c.padding.h, c.padding.h});
  });
  return out;
}

std::vector<ConvPart> parts_of_result(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
  if (y.shape[0] > 1) return parts_of_images(x, w, y, c);
  std::vector<ConvPart> out;
  int64_t rows = x.shape[2], reach = (w.shape[2] - 1) * c.dilation.h + 1;
  each_range(y.shape[2], count_parts(w, y), [&](int64_t begin, int64_t end) {
    int64_t first = begin * c.stride.h - c.padding.h, last = (end - 1) * c.stride.h - c.padding.h + reach;
    int64_t from = std::clamp<int64_t>(first, 0, rows), to = std::clamp<int64_t>(last, from, rows);
    out.push_back({slice(x, 2, from, to), slice(y, 2, begin, end), from - first, last - to});
  });
  // A part in the padding alone has nothing to read.
  bool is_whole = std::ranges::all_of(out, [](const ConvPart& part) { return part.x.numel() > 0; });
  return is_whole ? out : std::vector<ConvPart>{{x, y, c.padding.h, c.padding.h}};
}

}  // namespace espalier::kernels
