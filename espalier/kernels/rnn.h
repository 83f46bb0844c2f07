#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

// Recurrent layers: one layer in one direction, all its steps at once.
namespace espalier::kernels {

// Whether lstm and gru run on these kernels. On at first.
void set_fused_rnn(bool on);
bool fused_rnn();

// What a layer reads, all row-major, float32 or float64, with elements. x is [T, N, I], or [N, T, I] with
// batch_first; h and c are [N, H], weights and biases as PyTorch has them. Biases may be null, like c for
// GRU.
struct RnnInputs {
  Array x, h, c, weight_ih, weight_hh;
  const Array *bias_ih = nullptr, *bias_hh = nullptr;
  bool batch_first = false, reverse = false;
};

// What the backward needs. LSTM: i, f, g, o and c of each step; GRU: r, z, n and W_hn h + b_hn.
struct RnnSaved {
  Array gates, cells;
};

struct RnnGrads {
  Array x = {}, h = {}, c = {}, weight_ih = {}, weight_hh = {}, bias_ih = {}, bias_hh = {};
};

// The h of every step in the layout of x, and after it, for LSTM, the last c [N, H]; one dimension. Nothing
// is saved where `saved` is null.
Array lstm(const RnnInputs& in, RnnSaved* saved);
Array gru(const RnnInputs& in, RnnSaved* saved);

// Gradients from that of the result `y`, both row-major; that of x only if asked.
RnnGrads lstm_backward(const RnnInputs& in, const RnnSaved& saved, const Array& y, const Array& g, bool to_x);
RnnGrads gru_backward(const RnnInputs& in, const RnnSaved& saved, const Array& y, const Array& g, bool to_x);

// ---- what the vectorised code works on

// Rows over time: that of row n at step t begins at data + t * step + n * row, in elements.
struct Sequence {
  void* data = nullptr;
  int64_t step = 0, row = 0;
};

// Every row of the batch goes through all steps by itself; threads share the batch.
struct RnnJob {
  DType dtype;
  int64_t steps, batch, hidden;
  bool reverse;
  const void* weight_hh;          // [gates * hidden, hidden]
  const void* bias_hh = nullptr;  // of GRU, may be null
  Sequence from_x = {};           // W_ih x + biases
  // Steps of 0 where they are not saved. LSTM's gates may be in the place of from_x; cells are LSTM's.
  Sequence gates = {}, cells = {};
  Sequence y = {};
  const void *h = nullptr, *c = nullptr;  // [batch, hidden]
  Sequence g_y = {};
  Sequence g_x = {}, g_h = {};  // gradients of W_ih x and of W_hh h, the same for LSTM
  // [batch, hidden]; g_c: that of the last c comes, that of the first goes.
  void *g_first_h = nullptr, *g_c = nullptr;
  void *g_bias_x = nullptr, *g_bias_h = nullptr;  // sums over the steps of g_x and g_h, for each row
};
inline constinit Kernel<void(const RnnJob&)> lstm_steps, lstm_steps_backward, gru_steps, gru_steps_backward;

// An LSTM whose products with x are made step by step too, split as by gemm_bf16x3: neither from_x nor g_x
// are needed.
struct SplitLstmJob : RnnJob {
  int64_t features;
  Sequence x = {}, x_grad = {};  // the gradient is wanted if its data is not null
  const void *weight_ih = nullptr, *bias = nullptr;
  // [pieces, 4 * hidden, features + hidden]: gradients of weight_ih and weight_hh from piece_rows() rows
  // each.
  void* weight_grads = nullptr;

  // Up to 16, so that an even number of pieces is about alike.
  int64_t piece_rows() const {
    int64_t pairs = (batch + 31) / 32;
    return (batch + 2 * pairs - 1) / (2 * pairs);
  }
  int64_t pieces() const { return (batch + piece_rows() - 1) / piece_rows(); }
};
// Offered where gemm_bf16x3 is; float32 only.
inline constinit Kernel<void(const SplitLstmJob&)> split_lstm_steps, split_lstm_steps_backward;

}  // namespace espalier::kernels
