#include <espalier/core/threads.h>
#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/converted.h>
#include <espalier/kernels/dnnl.h>
#include <espalier/kernels/flattened.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/matmul.h>
#include <espalier/kernels/row_major.h>

#include <algorithm>
#include <atomic>

namespace espalier::kernels {
namespace {

// A matrix in memory; its leading (batch) dimensions are Product's.
struct Matrix {
  void* data;
  int64_t row, col;
  Strides batch = {};
};

struct Product {
  int64_t m, n, k;
  Matrix a, b, c;
  Shape batch = {};
  DType dtype;
};

// Adds a batch dimension within those before, joined with the last one where memory allows.
void add_batch(Product& p, int64_t size, int64_t a, int64_t b, int64_t c) {
  if (size == 1) return;
  int last = p.batch.rank() - 1;
  if (last >= 0 && p.a.batch[last] == size * a && p.b.batch[last] == size * b &&
      p.c.batch[last] == size * c) {
    p.batch[last] *= size;
    p.a.batch[last] = a, p.b.batch[last] = b, p.c.batch[last] = c;
    return;
  }
  p.batch.push_back(size);
  p.a.batch.push_back(a), p.b.batch.push_back(b), p.c.batch.push_back(c);
}

// One product of more rows in place of several with the same b.
void join_rows(Product& p) {
  int last = p.batch.rank() - 1;
  if (last < 0 || p.b.batch[last] != 0) return;
  if (p.m == 1) p.a.row = p.a.batch[last], p.c.row = p.c.batch[last];
  if (p.a.batch[last] != p.m * p.a.row || p.c.batch[last] != p.m * p.c.row) return;
  p.m *= p.batch[last];
  for (Shape* s : {&p.batch, &p.a.batch, &p.b.batch, &p.c.batch}) s->erase(last);
}

// One column or row of a matrix has a stride that means nothing: gives it one that oneDNN takes.
void tidy(Matrix& x, int64_t rows, int64_t cols) {
  if (cols == 1 && x.row >= 1) x.col = x.row == 1 ? rows : 1;
  if (rows == 1 && x.col >= 1) x.row = x.col == 1 ? cols : 1;
}

// The stride of batch dimension `d` of the result's `rank` dimensions; 0 where x repeats.
int64_t batch_stride(const Array& x, int d, int rank) {
  int own = d - (rank - x.rank());
  return own < 0 || x.shape[own] == 1 ? 0 : x.strides[own];
}

Product plan(const Array& out, const Array& a, const Array& b) {
  int r = out.rank();
  int64_t m = out.shape[r - 2], n = out.shape[r - 1], k = a.shape[a.rank() - 1];
  auto matrix = [](const Array& x) {
    return Matrix{x.data(), x.strides[x.rank() - 2], x.strides[x.rank() - 1]};
  };
  Product p{.m = m, .n = n, .k = k, .a = matrix(a), .b = matrix(b), .c = matrix(out), .dtype = out.dtype};
  for (int d = 0; d < r - 2; ++d) {
    add_batch(p, out.shape[d], batch_stride(a, d, r), batch_stride(b, d, r), out.strides[d]);
  }
  join_rows(p);
  tidy(p.a, p.m, p.k), tidy(p.b, p.k, p.n), tidy(p.c, p.m, p.n);
  return p;
}

// Calls f(a, b, c) with the offsets of each product of the batch.
template <class F>
void each(const Product& p, F&& f) {
  Shape index = Shape::filled(p.batch.rank(), 0);
  for (int64_t i = p.batch.numel(); i > 0; --i) {
    int64_t a = 0, b = 0, c = 0;
    for (int d = 0; d < index.rank(); ++d) {
      a += index[d] * p.a.batch[d], b += index[d] * p.b.batch[d], c += index[d] * p.c.batch[d];
    }
    f(a, b, c);
    for (int d = index.rank() - 1; d >= 0 && ++index[d] == p.batch[d]; --d) index[d] = 0;
  }
}

using GemmKernel = Kernel<void(const Gemm&)>;

template <class T>
void by_gemm(const Product& p, const void* bias, const GemmKernel& gemm) {
  auto* a0 = static_cast<const T*>(p.a.data);
  auto* b0 = static_cast<const T*>(p.b.data);
  auto* c0 = static_cast<T*>(p.c.data);
  auto one = [&](int64_t a, int64_t b, int64_t c) {
    return Gemm{p.m,     p.n,     p.k,    a0 + a,  p.a.row, p.a.col, b0 + b,
                p.b.row, p.b.col, c0 + c, p.c.row, false,   bias};
  };
  if (p.batch.empty()) return gemm(one(0, 0, 0));
  std::vector<Gemm> all;
  each(p, [&](int64_t a, int64_t b, int64_t c) { all.push_back(one(a, b, c)); });
  parallel_for(static_cast<int64_t>(all.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) gemm(all[i]);
  });
}

template <class T>
void by_loops(const Product& p) {
  each(p, [&](int64_t a, int64_t b, int64_t c) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        T sum{};
        for (int64_t q = 0; q < p.k; ++q) {
          sum += static_cast<const T*>(p.a.data)[a + i * p.a.row + q * p.a.col] *
                 static_cast<const T*>(p.b.data)[b + q * p.b.row + j * p.b.col];
        }
        static_cast<T*>(p.c.data)[c + i * p.c.row + j * p.c.col] = sum;
      }
    }
  });
}

bool taken_by_onednn(const Product& p) {
  auto fits = [](const Matrix& x, int64_t rows, int64_t cols) {
    return (x.col == 1 && x.row >= cols) || (x.row == 1 && x.col >= rows);
  };
  for (int d = 0; d < p.batch.rank(); ++d) {
    if (p.a.batch[d] == 0 && p.b.batch[d] == 0) return false;
  }
  return fits(p.a, p.m, p.k) && fits(p.b, p.k, p.n);
}

struct MatmulPrimitive {
  bool slow = true;  // or not to be had at all
  onednn::Executable run;
  dnnl::memory::desc a, b, c, bias;
};

Array array_of(const Matrix& x, Shape batch, int64_t rows, int64_t cols, DType dtype) {
  Strides strides = x.batch;
  for (int d = 0; d < batch.rank(); ++d) {
    if (strides[d] == 0) batch[d] = 1, strides[d] = rows * cols;
  }
  batch.push_back(rows), batch.push_back(cols);
  strides.push_back(x.row), strides.push_back(x.col);
  return Array{nullptr, 0, batch, strides, dtype};
}

MatmulPrimitive make_matmul(const Array& a, const Array& b, const Array& c, bool bias) {
  using dnnl::matmul;
  auto describe = [](const Array& x) { return onednn::describe(x.shape, x.strides, x.dtype); };
  MatmulPrimitive made;
  made.a = describe(a), made.b = describe(b), made.c = describe(c);
  auto finish = [&](const matmul::primitive_desc& d) {
    made.slow = onednn::is_slow(d);
    made.run = {matmul(d), d};
    return made;
  };
  if (!bias) return finish(onednn::describe_primitive<matmul>(made.a, made.b, made.c));
  Shape row = Shape::filled(c.rank(), 1);
  row[c.rank() - 1] = c.shape.back();
  made.bias = onednn::describe(row, contiguous_strides(row), c.dtype);
  return finish(onednn::describe_primitive<matmul>(made.a, made.b, made.bias, made.c));
}

// False, with nothing done, where oneDNN has nothing fast for it.
bool by_one_primitive(const Product& p, const Array* bias) {
  Array a = array_of(p.a, p.batch, p.m, p.k, p.dtype), b = array_of(p.b, p.batch, p.k, p.n, p.dtype);
  Array c = array_of(p.c, p.batch, p.m, p.n, p.dtype);
  onednn::Key key({onednn::kMatmul, bias != nullptr});
  auto made = onednn::cached(key.add(a).add(b).add(c), [&] { return make_matmul(a, b, c, bias); });
  if (made->slow) return false;
  using Operand = onednn::Executable::Operand;
  Operand x{DNNL_ARG_SRC, made->a, p.a.data}, w{DNNL_ARG_WEIGHTS, made->b, p.b.data},
      y{DNNL_ARG_DST, made->c, p.c.data};
  Array row = bias ? row_major(*bias) : Array();
  if (bias) made->run.run({x, w, y, {DNNL_ARG_BIAS, made->bias, row.data()}});
  else made->run.run({x, w, y});
  return true;
}

// Rows or columns of a product, whichever are more.
Product part_of(const Product& p, int64_t begin, int64_t end) {
  auto move = [](Matrix& x, int64_t elements) { x.data = static_cast<float*>(x.data) + elements; };
  Product part = p;
  bool rows = p.m > p.n;
  (rows ? part.m : part.n) = end - begin;
  if (rows) move(part.a, begin * p.a.row);
  else move(part.b, begin * p.b.col);
  move(part.c, begin * (rows ? p.c.row : p.c.col));
  return part;
}

// A product of float32 matrices in parts that one thread computes each, as kernels/conv_parts.h. False, with
// nothing of use done, where oneDNN has nothing fast for it.
bool by_onednn(const Product& p, const Array* bias) {
  if (!taken_by_onednn(p)) return false;
  constexpr double kEnough = 1 << 21;  // multiply-adds
  constexpr int64_t kMostParts = 32, kLeastItems = 64;
  int64_t longer = std::max(p.m, p.n);
  double work = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  int64_t parts = std::min({kMostParts, longer / kLeastItems, static_cast<int64_t>(work / kEnough)});
  if (p.dtype != DType::float32 || !p.batch.empty() || parts < 2) return by_one_primitive(p, bias);
  std::atomic<bool> done = true;
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    SerialScope serial;
    for (int64_t i = begin; i < end; ++i) {
      int64_t first = longer * i / parts, last = longer * (i + 1) / parts;
      Array row = bias ? *bias : Array();
      if (bias && p.m <= p.n)
        row = bias->view({last - first}, bias->strides, bias->offset + first * bias->strides[0]);
      if (!by_one_primitive(part_of(p, first, last), bias ? &row : nullptr)) done = false;
    }
  });
  return done;
}

void multiply_bfloat16(Array& out, const Array& a, const Array& b, const Array* bias) {
  if (by_onednn(plan(out, a, b), bias)) return;
  Array left = converted(a, DType::bfloat16), right = converted(b, DType::bfloat16);
  if (by_onednn(plan(out, left, right), bias)) return;
  Array y = Array::empty(out.shape, DType::float32), row = bias ? converted(*bias, DType::float32) : Array();
  matmul(y, converted(a, DType::float32), converted(b, DType::float32), bias ? &row : nullptr);
  copy(out, y);
}

template <class T>
void multiply(Array& out, const Array& a, const Array& b, const Array* bias, const GemmKernel& gemm) {
  Array row = bias ? row_major(*bias) : Array();
  by_gemm<T>(plan(out, a, b), bias ? row.data() : nullptr, gemm);
}

// Numbers are used often enough for splitting them into parts to pay.
bool bf16x3_pays(const Product& p) {
  constexpr int64_t kManyItems = 64, kDeep = 128;
  return bf16x3() && p.batch.empty() && p.m >= kManyItems && p.n >= kManyItems && p.k >= kDeep;
}

// The own kernel starts at once and wins on small products; oneDNN divides large ones better. With few
// columns they are equal, but oneDNN would let the sums depend on the number of threads.
void multiply_float32(Array& out, const Array& a, const Array& b, const Array* bias) {
  constexpr int64_t kFewColumns = 20, kFewRows = 12, kSmall = 1 << 21;  // multiply-adds
  Product p = plan(out, a, b);
  auto size = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  bool small = p.n <= kFewColumns || p.m <= kFewRows || size < kSmall;
  if (!small && bf16x3_pays(p)) return multiply<float>(out, a, b, bias, gemm_bf16x3);
  if (small || !by_onednn(p, bias)) multiply<float>(out, a, b, bias, gemm_float);
}

}  // namespace

void matmul(Array& out, const Array& a, const Array& b, const Array* bias) {
  if (nothing_to_do(out)) return;
  if (a.shape.back() == 0) return bias ? copy(out, *bias) : fill(out, 0);
  if (matmul_flattened(out, a, b, bias)) return;
  switch (out.dtype) {
    case DType::float32: return multiply_float32(out, a, b, bias);
    case DType::float64: return multiply<double>(out, a, b, bias, gemm_double);
    case DType::bfloat16: return multiply_bfloat16(out, a, b, bias);
    default: visit_dtype(out.dtype, [&]<class T>(T) { by_loops<Compute<T>>(plan(out, a, b)); });
  }
}

}  // namespace espalier::kernels
