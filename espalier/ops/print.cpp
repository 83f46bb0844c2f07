#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>

#include <espalier/autograd/node.h>
#include <espalier/autograd/tensor.h>

// Text of tensors by PyTorch's rules: one width for all numbers, four digits after the point, an exponent
// where magnitudes differ by more than 1000, and only the ends of dimensions in tensors of more than 1000
// elements.
namespace espalier {
namespace {

constexpr int64_t kSummaryAbove = 1000, kEdge = 3;
constexpr size_t kLine = 80;

std::string digits(double value, std::chars_format format, int precision) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[400];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format, precision).ptr};
}

// How the numbers of a tensor are written.
class Format {
 public:
  explicit Format(DType dtype) : dtype_(dtype) {}

  // Call for each value that is shown, then `settle`, then for each again `measure`.
  void look_at(Scalar s) {
    double v = s.to_double();
    if (!is_floating_point(dtype_) || !std::isfinite(v) || v == 0) return;
    whole_ = whole_ && v == std::ceil(v);
    smallest_ = std::min(smallest_, std::fabs(v));
    largest_ = std::max(largest_, std::fabs(v));
  }
  void settle() {
    exponent_ = largest_ > 0 && (largest_ / smallest_ > 1000 || largest_ > 1e8 || smallest_ < 1e-4);
  }
  void measure(Scalar s) {
    bool counts = !is_floating_point(dtype_) || (std::isfinite(s.to_double()) && s.to_double() != 0);
    if (counts) width_ = std::max(width_, plain(s).size());
  }

  size_t width() const { return width_; }
  std::string text(Scalar s) const {
    std::string t = plain(s);
    return t.size() < width_ ? std::string(width_ - t.size(), ' ') + t : t;
  }

 private:
  std::string plain(Scalar s) const {
    if (dtype_ == DType::boolean) return s.to_int64() ? "True" : "False";
    if (!is_floating_point(dtype_)) return std::to_string(s.to_int64());
    double v = s.to_double();
    if (exponent_) return digits(v, std::chars_format::scientific, 4);
    if (!whole_) return digits(v, std::chars_format::fixed, 4);
    return digits(v, std::chars_format::fixed, 0) + (std::isfinite(v) ? "." : "");
  }

  DType dtype_;
  bool whole_ = true, exponent_ = false;
  double smallest_ = INFINITY, largest_ = 0;
  size_t width_ = 1;
};

class Printer {
 public:
  explicit Printer(const Array& a) : a_(a), summary_(a.numel() > kSummaryAbove), format_(a.dtype) {
    each_shown(0, 0, [&](int64_t at) { format_.look_at(value(at)); });
    format_.settle();
    each_shown(0, 0, [&](int64_t at) { format_.measure(value(at)); });
  }

  // Everything from dimension `dim` on, at `offset` elements from the first.
  std::string text(int dim, int64_t offset, size_t indent) const {
    if (dim == a_.rank()) return format_.text(value(offset));
    if (dim == a_.rank() - 1) return line(offset, indent);
    std::string out = "[", between = ",";
    between.append(a_.rank() - dim - 1, '\n').append(indent + 1, ' ');
    each_index(dim, [&](int64_t i, bool after_gap) {
      if (i > 0) out += between;
      if (after_gap) out += "..." + between;
      out += text(dim + 1, offset + i * a_.strides[dim], indent + 1);
    });
    return out + "]";
  }

 private:
  Scalar value(int64_t offset) const {
    return visit_dtype(a_.dtype, [&]<class T>(T) { return Scalar(a_.data<T>()[offset]); });
  }

  // Calls f(index, whether indices before it are left out) for those that are shown.
  template <class F>
  void each_index(int dim, F&& f) const {
    int64_t n = a_.shape[dim];
    bool gap = summary_ && n > 2 * kEdge;
    for (int64_t i = 0; i < (gap ? kEdge : n); ++i) f(i, false);
    for (int64_t i = n - kEdge; gap && i < n; ++i) f(i, i == n - kEdge);
  }

  template <class F>
  void each_shown(int dim, int64_t offset, F&& f) const {
    if (dim == a_.rank()) return f(offset);
    each_index(dim, [&](int64_t i, bool) { each_shown(dim + 1, offset + i * a_.strides[dim], f); });
  }

  // A row, broken where it gets longer than a line.
  std::string line(int64_t offset, size_t indent) const {
    size_t fit = kLine > indent ? std::max<size_t>(1, (kLine - indent) / (format_.width() + 2)) : 1,
           count = 0;
    std::string out = "[";
    auto put = [&](const std::string& item) {
      if (count > 0) out += count % fit ? ", " : ",\n" + std::string(indent + 1, ' ');
      out += item;
      ++count;
    };
    each_index(a_.rank() - 1, [&](int64_t i, bool after_gap) {
      if (after_gap) put(" ...");
      put(format_.text(value(offset + i * a_.strides[a_.rank() - 1])));
    });
    return out + "]";
  }

  const Array& a_;
  bool summary_;
  Format format_;
};

// "(2, 3)", "(2,)"
std::string tuple(const Shape& shape) {
  std::string out = "(";
  for (int i = 0; i < shape.rank(); ++i) out.append(i ? ", " : "").append(std::to_string(shape[i]));
  return out.append(shape.rank() == 1 ? ",)" : ")");
}

std::vector<std::string> suffixes(const Tensor& x, bool has_values) {
  std::vector<std::string> out;
  bool empty = x.numel() == 0;
  if (!has_values || (empty && x.dim() != 1)) out.push_back("size=" + tuple(x.shape()));
  bool clear = x.dtype() == DType::float32 ||
               (has_values && !empty && (x.dtype() == DType::int64 || x.dtype() == DType::boolean));
  if (!clear) out.push_back(concat("dtype=", x.dtype()));
  if (Node* node = x.grad_fn()) out.push_back(concat("grad_fn=<", node->op(), ">"));
  else if (x.requires_grad()) out.push_back("requires_grad=True");
  return out;
}

}  // namespace

std::string to_string(const Tensor& x) {
  if (!x.defined()) return "tensor(undefined)";
  constexpr size_t kIndent = sizeof("tensor(") - 1;
  bool has_values = x.numel() == 0 || x.array().storage->data();
  std::string out = !has_values ? "..." : x.numel() == 0 ? "[]" : Printer(x.array()).text(0, 0, kIndent);
  size_t line = out.size() - (out.rfind('\n') + 1) + 2;
  for (const std::string& s : suffixes(x, has_values)) {
    bool fits = line + s.size() + 2 <= kLine;
    out += (fits ? ", " : ",\n" + std::string(kIndent, ' ')) + s;
    line = (fits ? line + 2 : kIndent) + s.size();
  }
  return "tensor(" + out + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }

}  // namespace espalier
