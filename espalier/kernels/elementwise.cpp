#include <espalier/core/threads.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/walk.h>

#include <algorithm>

namespace espalier::kernels {
namespace {

constexpr int64_t kChunk = 512;  // elements converted at a time, so that they stay in the first cache

struct Buffer {
  alignas(64) char bytes[kChunk * 8];
};

// One operand as the rows see it: memory of the compute type in the order of the walk, or what must be
// brought there.
struct Side {
  const Walk* walk = nullptr;
  int k = 0;
  DType dtype = DType::float32, compute = DType::float32;
  const void* base = nullptr;
  bool direct = false, single = false;

  int64_t step() const { return walk->stride[k][walk->rank - 1]; }
  void load(int64_t position, int64_t n, char* to) const {
    walk->pieces({k}, position, n, [&](auto offset, int64_t length) {
      cast_row(dtype, compute, length, at(base, dtype, offset[0]), step(), to, 1);
      to += length * itemsize(compute);
    });
  }
  void store(int64_t position, int64_t n, const char* from) const {
    walk->pieces({k}, position, n, [&](auto offset, int64_t length) {
      cast_row(compute, dtype, length, from, 1, at(base, dtype, offset[0]), step());
      from += length * itemsize(compute);
    });
  }
};

struct Job {
  Walk walk;
  int sides = 0;
  std::array<Side, kMaxOperands> side;  // the output, then the inputs
  std::array<double, kMaxOperands> number;

  bool all_direct() const {
    return std::all_of(side.begin(), side.begin() + sides, [](const Side& s) { return s.direct; });
  }
};

// A number, as memory of the compute type.
void put_number(Scalar s, DType compute, void* to) {
  visit_dtype(compute, [&]<class T>(T) { *static_cast<T*>(to) = s.to<T>(); });
}

void prepare(Job& job, DType compute, const Array& out, std::initializer_list<Operand> in) {
  std::array<const Array*, kMaxOperands> arrays{&out};
  Array number;  // a scalar's shape and strides
  job.sides = 1 + static_cast<int>(in.size());
  std::transform(in.begin(), in.end(), arrays.begin() + 1,
                 [&](const Operand& o) { return o.array ? o.array : &number; });
  job.walk = walk({arrays.data(), static_cast<size_t>(job.sides)});
  for (int k = 0; k < job.sides; ++k) {
    const Array& a = *arrays[k];
    bool is_number = &a == &number;
    if (is_number) put_number(in.begin()[k - 1].number, compute, &job.number[k]);
    DType dtype = is_number ? compute : a.dtype;
    bool single = k > 0 && (is_number || (job.walk.count > 1 && job.walk.single(k)));
    job.side[k] = {&job.walk,
                   k,
                   dtype,
                   compute,
                   is_number ? &job.number[k] : a.data(),
                   !single && dtype == compute && job.walk.linear(k),
                   single};
  }
}

void run_direct(const Row& row, DType compute, const Job& job, int64_t begin, int64_t end) {
  const void* in[kMaxOperands] = {};
  for (int k = 1; k < job.sides; ++k) in[k - 1] = at(job.side[k].base, compute, begin);
  row(compute, end - begin, at(job.side[0].base, compute, begin), in);
}

void run_chunks(const Row& row, DType compute, const Job& job, int64_t begin, int64_t end) {
  Buffer buffers[kMaxOperands];
  for (int k = 1; k < job.sides; ++k) {
    const Side& s = job.side[k];
    if (s.single) cast_row(s.dtype, compute, std::min(kChunk, end - begin), s.base, 0, buffers[k].bytes, 1);
  }
  for (int64_t p = begin; p < end; p += kChunk) {
    int64_t n = std::min(kChunk, end - p);
    const void* in[kMaxOperands] = {};
    for (int k = 1; k < job.sides; ++k) {
      const Side& s = job.side[k];
      if (!s.direct && !s.single) s.load(p, n, buffers[k].bytes);
      in[k - 1] = s.direct ? at(s.base, compute, p) : buffers[k].bytes;
    }
    const Side& out = job.side[0];
    row(compute, n, out.direct ? at(out.base, compute, p) : buffers[0].bytes, in);
    if (!out.direct) out.store(p, n, buffers[0].bytes);
  }
}

// Arrays of the compute type that lie alike in memory need no plan.
bool lie_alike(DType compute, const Array& out, std::initializer_list<Operand> in) {
  auto like_out = [&](const Operand& o) {
    return o.array && o.array->dtype == compute && o.array->shape == out.shape &&
           o.array->strides == out.strides;
  };
  return out.dtype == compute && std::all_of(in.begin(), in.end(), like_out) && out.is_dense();
}

void run_alike(const Row& row, DType compute, Array& out, std::initializer_list<Operand> in) {
  const void* from[kMaxOperands] = {};
  std::transform(in.begin(), in.end(), from, [](const Operand& o) { return o.array->data(); });
  void* to = out.data();
  parallel_for(out.numel(), kGrain, [&](int64_t begin, int64_t end) {
    const void* piece[kMaxOperands] = {};
    for (size_t k = 0; k < in.size(); ++k) piece[k] = at(from[k], compute, begin);
    row(compute, end - begin, at(to, compute, begin), piece);
  });
}

}  // namespace

DType compute_type(DType d) {
  if (d == DType::float64) return d;
  return is_floating_point(d) ? DType::float32 : DType::int64;
}

void elementwise(const Row& row, DType compute, Array& out, std::initializer_list<Operand> in) {
  if (nothing_to_do(out)) return;
  if (lie_alike(compute, out, in)) return run_alike(row, compute, out, in);
  Job job;
  prepare(job, compute, out, in);
  bool direct = job.all_direct();
  parallel_for(job.walk.count, kGrain, [&](int64_t begin, int64_t end) {
    if (direct) run_direct(row, compute, job, begin, end);
    else run_chunks(row, compute, job, begin, end);
  });
}

void fill(Array& out, Scalar value) {
  if (nothing_to_do(out)) return;
  if (out.numel() == 1) return put_number(value, out.dtype, out.data());
  double number;
  put_number(value, out.dtype, &number);
  const Array* arrays[] = {&out};
  Walk w = walk(arrays);
  void* to = out.data();
  parallel_for(w.count, kGrain, [&](int64_t begin, int64_t end) {
    w.pieces({0}, begin, end - begin, [&](auto offset, int64_t length) {
      cast_row(out.dtype, out.dtype, length, &number, 0, at(to, out.dtype, offset[0]),
               w.stride[0][w.rank - 1]);
    });
  });
}

}  // namespace espalier::kernels
