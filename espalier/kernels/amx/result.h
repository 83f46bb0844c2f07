#pragma once

#include <espalier/kernels/amx/block.h>

// What becomes of the sums of a block.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// c, as in Gemm.
struct Result {
  float* data;
  int64_t row;
  const int64_t* row_at;  // where its rows begin, if they are not `row` apart
  bool accumulate;
  const float* bias;
  bool relu;

  float* at(int64_t i, int64_t j) const { return data + (row_at ? row_at[i] : i * row) + j; }
};

// Rows and columns of the result, and the depths whose products they are to be given.
struct Piece {
  Range rows, cols, depths;
};

// The four squares of the block are turned, and exchanged across the diagonal.
void turn_block(float* sums) {
  auto square = [&](int64_t r, int64_t c) { return sums + r * kSide * kBlockSide + c * kSide; };
  auto load = [](Floats* v, const float* from) {
    for (int64_t i = 0; i < kSide; ++i) v[i] = *reinterpret_cast<const Floats*>(from + i * kBlockSide);
    turn<float>(v);
  };
  auto store = [](float* to, const Floats* v) {
    for (int64_t i = 0; i < kSide; ++i) *reinterpret_cast<Floats*>(to + i * kBlockSide) = v[i];
  };
  Floats a[kSide], b[kSide];
  for (int64_t i = 0; i < 2; ++i) load(a, square(i, i)), store(square(i, i), a);
  load(a, square(0, 1)), load(b, square(1, 0));
  store(square(1, 0), a), store(square(0, 1), b);
}

// Whether the sums, of whole tiles, are numbers. One that is none, or was infinite on the way, makes NaN of
// the zeros.
bool all_finite(const float* sums, int64_t rows, int64_t cols) {
  Floats zeros[2] = {};
  for (int64_t r = 0; r < rows; ++r, sums += kBlockSide) {
    for (int64_t c = 0; c < cols; c += kSide) {
      zeros[c / kSide] += *reinterpret_cast<const Floats*>(sums + c) * 0.0f;
    }
  }
  zeros[0] += zeros[1];
  for (int64_t i = 0; i < kSide; ++i) {
    if (zeros[0][i] != 0) return false;
  }
  return true;
}

// A vector of c from its sums.
inline void store_lane_sums(float* c, Floats v, const Result& to, const float* bias, int64_t count) {
  if (to.accumulate) v += load_lanes_of(c, 1, count);
  if (bias) v += load_lanes_of(bias, 1, count);
  if (to.relu) v = v < 0 ? Floats{} : v;
  if (count == kSide) *reinterpret_cast<Floats*>(c) = v;
  else __builtin_memcpy(c, &v, static_cast<size_t>(count) * sizeof(float));
}

void store_sums(const Result& to, const Piece& piece, const float* sums) {
  bool whole = piece.cols.size == kBlockSide && !to.bias && !to.relu;
  for (int64_t r = 0; r < piece.rows.size; ++r, sums += kBlockSide) {
    float* c = to.at(piece.rows.begin + r, piece.cols.begin);
    if (whole) {
      auto* out = reinterpret_cast<Floats*>(c);
      auto* from = reinterpret_cast<const Floats*>(sums);
      out[0] = to.accumulate ? out[0] + from[0] : from[0];
      out[1] = to.accumulate ? out[1] + from[1] : from[1];
      continue;
    }
    const float* bias = to.bias ? to.bias + piece.cols.begin : nullptr;
    for (int64_t j = 0; j < piece.cols.size; j += kSide) {
      store_lane_sums(c + j, *reinterpret_cast<const Floats*>(sums + j), to, bias ? bias + j : nullptr,
                      smaller(kSide, piece.cols.size - j));
    }
  }
}

void prefetch_result(const Result& to, const Piece& piece) {
  for (int64_t r = 0; r < piece.rows.size; ++r) {
    float* c = to.at(piece.rows.begin + r, piece.cols.begin);
    for (int64_t j = 0; j < piece.cols.size; j += kSide) __builtin_prefetch(c + j, 1);
  }
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
