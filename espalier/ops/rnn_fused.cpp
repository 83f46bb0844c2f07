#include <espalier/ops/rnn_fused.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/rnn.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/recomputed.h>
#include <espalier/ops/view.h>

namespace espalier::detail {
namespace {

// The inputs of the operation in the order of their gradients, kept for the backward.
struct Kept {
  std::vector<Saved> tensors;  // x, h, c, weight_ih, weight_hh, bias_ih, bias_hh
  RnnOptions options;

  Kept(const std::vector<Tensor>& inputs, const RnnOptions& o) : options(o) {
    for (const Tensor& t : inputs) tensors.emplace_back(t);
  }
  std::vector<Tensor> inputs() const { return {tensors.begin(), tensors.end()}; }
};

RnnWeights weights_in(const std::vector<Tensor>& t) { return {t[3], t[4], t[5], t[6]}; }

// The arrays of `tensors` in row-major order, with the memory that they may need for it.
struct Arrays {
  std::vector<Array> own;
  kernels::RnnInputs in;

  Arrays(const std::vector<Tensor>& tensors, const RnnOptions& o) {
    for (const Tensor& t : tensors) own.push_back(t.defined() ? kernels::row_major(t.array()) : Array());
    auto or_null = [&](size_t i) { return tensors[i].defined() ? &own[i] : nullptr; };
    in = {own[0], own[1], own[2], own[3], own[4], or_null(5), or_null(6), o.batch_first, o.reverse};
  }
  Arrays(const Arrays&) = delete;
};

Grads as_grads(const kernels::RnnGrads& g) {
  std::vector<Tensor> out;
  for (const Array* a : {&g.x, &g.h, &g.c, &g.weight_ih, &g.weight_hh, &g.bias_ih, &g.bias_hh}) {
    out.push_back(a->storage ? Tensor(*a) : Tensor());
  }
  return Grads(std::move(out));
}

using Backward = kernels::RnnGrads (*)(const kernels::RnnInputs&, const kernels::RnnSaved&, const Array& y,
                                       const Array& g, bool to_x);

Grads by_kernel(Backward backward, const std::vector<Tensor>& inputs, const RnnOptions& o,
                const kernels::RnnSaved& saved, const Tensor& y, const Tensor& g) {
  Arrays arrays(inputs, o);
  return as_grads(
      backward(arrays.in, saved, y.array(), kernels::row_major(g.array()), inputs[0].requires_grad()));
}

// The part of the flat result that the steps are.
Tensor steps_of(const Tensor& flat, const Tensor& x, int64_t hidden) {
  int64_t n = x.size(0) * x.size(1) * hidden;
  Tensor part = flat.numel() == n ? flat : flat.slice(0, 0, n);
  return part.reshape({x.size(0), x.size(1), hidden});
}

}  // namespace

bool can_fuse(const Tensor& x, const Tensor& h, const RnnWeights& w) {
  bool one_dtype = x.dtype() == DType::float32 || x.dtype() == DType::float64;
  for (const Tensor* t : {&h, &w.weight_ih, &w.weight_hh, &w.bias_ih, &w.bias_hh}) {
    one_dtype = one_dtype && (!t->defined() || t->dtype() == x.dtype());
  }
  return kernels::fused_rnn() && one_dtype && x.numel() > 0 && h.numel() > 0;
}

std::pair<Tensor, Tensor> fused_lstm(const Tensor& x, const LstmState& state, const RnnWeights& w,
                                     const RnnOptions& o) {
  const auto& [h, c] = state;
  std::vector<Tensor> inputs{x, h, c, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh};
  kernels::RnnSaved saved;
  Array y = kernels::lstm(Arrays(inputs, o).in, on_tape(inputs) ? &saved : nullptr);
  Tensor flat =
      record("lstm", inputs, y, {{"batch_first", o.batch_first}, {"reverse", o.reverse}},
             [kept = Kept(inputs, o), saved](const Tensor& g, const Tensor& y) {
               auto inputs = kept.inputs();
               if (!grad_enabled())
                 return by_kernel(kernels::lstm_backward, inputs, kept.options, saved, y, g);
               return recomputed(inputs, g, [&](const std::vector<Tensor>& t) {
                 auto [steps, last] = composed_lstm(t[0], {t[1], t[2]}, weights_in(t), kept.options);
                 return cat({steps.flatten(), last.second.flatten()});
               });
             });
  return {steps_of(flat, x, h.size(1)), flat.slice(0, -c.numel(), {}).reshape(c.shape())};
}

Tensor fused_gru(const Tensor& x, const Tensor& h, const RnnWeights& w, const RnnOptions& o) {
  std::vector<Tensor> inputs{x, h, Tensor(), w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh};
  kernels::RnnSaved saved;
  Array y = kernels::gru(Arrays(inputs, o).in, on_tape(inputs) ? &saved : nullptr);
  Tensor flat = record("gru", inputs, y, {{"batch_first", o.batch_first}, {"reverse", o.reverse}},
                       [kept = Kept(inputs, o), saved](const Tensor& g, const Tensor& y) {
                         auto inputs = kept.inputs();
                         if (!grad_enabled())
                           return by_kernel(kernels::gru_backward, inputs, kept.options, saved, y, g);
                         return recomputed(inputs, g, [&](const std::vector<Tensor>& t) {
                           return composed_gru(t[0], t[1], weights_in(t), kept.options).flatten();
                         });
                       });
  return steps_of(flat, x, h.size(1));
}

}  // namespace espalier::detail

namespace espalier {

void set_fused_rnn(bool on) { kernels::set_fused_rnn(on); }
bool fused_rnn() { return kernels::fused_rnn(); }

}  // namespace espalier
