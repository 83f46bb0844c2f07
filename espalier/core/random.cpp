#include <espalier/core/random.h>

#include <cmath>
#include <locale>
#include <numbers>
#include <numeric>
#include <sstream>

#include <espalier/core/error.h>

namespace espalier {
namespace {

// Calls draw() for each element of a dense or strided array, in the order of its indices.
template <class T, class Draw>
void fill(Array& out, Draw&& draw) {
  if (nothing_to_do(out)) return;
  T* p = out.data<T>();
  int64_t n = out.numel();
  if (out.is_contiguous()) {
    for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(draw());
    return;
  }
  Shape index = Shape::filled(out.rank(), 0);
  for (int64_t i = 0; i < n; ++i) {
    int64_t at = 0;
    for (int d = 0; d < out.rank(); ++d) at += index[d] * out.strides[d];
    p[at] = static_cast<T>(draw());
    for (int d = out.rank() - 1; d >= 0 && ++index[d] == out.shape[d]; --d) index[d] = 0;
  }
}

// Blocks of 16 uniforms become 16 normals (Box-Muller), as PyTorch does for 16 elements and more.
template <class T>
void transform_block(T* d, T mean, T std) {
  for (int j = 0; j < 8; ++j) {
    T u1 = 1 - d[j], u2 = d[j + 8];
    T r = std::sqrt(T(-2) * std::log(u1)), t = T(2) * std::numbers::pi_v<T> * u2;
    d[j] = r * std::cos(t) * std + mean;
    d[j + 8] = r * std::sin(t) * std + mean;
  }
}

template <class T>
void normal_blocks(Generator& g, T* d, int64_t n, T mean, T std) {
  auto uniform = [&] {
    if constexpr (sizeof(T) == 8) return g.uniform_double();
    else return g.uniform_float();
  };
  for (int64_t i = 0; i < n; ++i) d[i] = uniform();
  for (int64_t i = 0; i + 16 <= n; i += 16) transform_block(d + i, mean, std);
  if (n % 16 == 0) return;
  T* tail = d + n - 16;
  for (int j = 0; j < 16; ++j) tail[j] = uniform();
  transform_block(tail, mean, std);
}

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  engine_ = Mt19937(static_cast<uint32_t>(seed));
  seed_ = seed;
  has_next_normal_ = false;
}

double Generator::normal_double() {
  if (has_next_normal_) {
    has_next_normal_ = false;
    return next_normal_;
  }
  double u1 = uniform_double(), u2 = uniform_double();
  double r = std::sqrt(-2.0 * std::log1p(-u2)), t = 2.0 * std::numbers::pi * u1;
  next_normal_ = r * std::sin(t);
  has_next_normal_ = true;
  return r * std::cos(t);
}

// PyTorch's builds round once here, so that initial weights are the same to the bit.
void Generator::uniform(Array& out, double from, double to) {
  if (out.dtype == DType::float64)
    return fill<double>(out, [&] { return std::fma(uniform_double(), to - from, from); });
  auto f = static_cast<float>(from), width = static_cast<float>(to) - static_cast<float>(from);
  auto draw = [&] { return std::fma(uniform_float(), width, f); };
  if (out.dtype == DType::bfloat16) return fill<BFloat16>(out, draw);
  require<DTypeError>(out.dtype == DType::float32, "uniform: needs a floating point dtype, got ", out.dtype);
  fill<float>(out, draw);
}

void Generator::normal(Array& out, double mean, double std) {
  require<ValueError>(std >= 0, "normal: the standard deviation is ", std, ", it can't be negative");
  require<DTypeError>(is_floating_point(out.dtype), "normal: needs a floating point dtype, got ", out.dtype);
  if (nothing_to_do(out)) return;
  bool blocks = out.numel() >= 16 && out.is_contiguous();
  if (blocks && out.dtype == DType::float32) {
    return normal_blocks(*this, out.data<float>(), out.numel(), static_cast<float>(mean),
                         static_cast<float>(std));
  }
  if (blocks && out.dtype == DType::float64)
    return normal_blocks(*this, out.data<double>(), out.numel(), mean, std);
  visit_floating(out.dtype, [&]<class T>(T) {
    fill<T>(out, [&] { return static_cast<Compute<T>>(normal_double() * std + mean); });
  });
}

void Generator::randint(Array& out, int64_t low, int64_t high) {
  require<ValueError>(low < high, "randint: needs low < high, got ", low, " and ", high);
  uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  bool wide = range >= (uint64_t{1} << 32);
  visit_dtype(out.dtype, [&]<class T>(T) {
    fill<T>(out, [&] {
      uint64_t r = wide ? u64() % range : u32() % range;
      return static_cast<Compute<T>>(static_cast<int64_t>(r + static_cast<uint64_t>(low)));
    });
  });
}

void Generator::bernoulli(Array& out, double p) {
  require<ValueError>(0 <= p && p <= 1, "bernoulli: the probability is ", p, ", it must be in [0, 1]");
  visit_dtype(out.dtype, [&]<class T>(T) {
    fill<T>(out, [&] { return static_cast<Compute<T>>(uniform_double() < p ? 1 : 0); });
  });
}

std::vector<int64_t> Generator::randperm(int64_t n) {
  require<ValueError>(n >= 0, "randperm: needs n >= 0, got ", n);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = 0; i < n - 1; ++i) std::swap(order[i], order[i + u32() % (n - i)]);
  return order;
}

std::string Generator::state() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << "mt19937 " << seed_ << ' ' << has_next_normal_ << ' ' << std::hexfloat << next_normal_;
  for (uint32_t word : engine_.words()) out << ' ' << word;
  out << ' ' << engine_.next();
  return out.str();
}

void Generator::set_state(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  Generator read;
  std::string kind, normal;
  in >> kind >> read.seed_ >> read.has_next_normal_ >> normal;
  std::array<uint32_t, Mt19937::kWords> words{};
  for (uint32_t& word : words) in >> word;
  size_t next = 0;
  in >> next;
  require<ValueError>(in && kind == "mt19937" && next <= words.size(),
                      "the text is not the state of a random generator");
  read.next_normal_ = std::strtod(normal.c_str(), nullptr);
  read.engine_ = Mt19937(words, next);
  *this = read;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void manual_seed(uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace espalier
