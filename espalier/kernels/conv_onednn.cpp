#include <espalier/core/threads.h>
#include <espalier/kernels/conv.h>
#include <espalier/kernels/conv_parts.h>
#include <espalier/kernels/dnnl.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/row_major.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace espalier::kernels {
namespace {

using dnnl::memory;
using onednn::describe;
using onednn::describe_backward;
using onednn::describe_with;

// What oneDNN is told of a convolution; x and y stand for their gradients as well.
struct Problem {
  memory::desc x, plain_w, w, bias, y;           // w: in the order that oneDNN likes best
  memory::dims stride, dilation, before, after;  // before, after: the padding
};

Problem describe_problem(const ConvPart& part, const Array& w, const ConvGeometry& c) {
  const Array &x = part.x, &y = part.y;
  Shape shape = w.shape;
  Strides strides = w.strides;
  if (c.groups > 1) {
    shape[0] /= c.groups;
    shape.insert(0, c.groups);
    strides.insert(0, strides[0] * shape[1]);
  }
  return {describe(x.shape, channels_last_strides(x.shape), x.dtype),
          describe(shape, strides, w.dtype),
          onednn::any_order(shape, w.dtype),
          describe({w.shape[0]}, {1}, w.dtype),
          describe(y.shape, channels_last_strides(y.shape), y.dtype),
          {c.stride.h, c.stride.w},
          {c.dilation.h - 1, c.dilation.w - 1},
          {part.before, c.padding.w},
          {part.after, c.padding.w}};
}

dnnl::convolution_forward::primitive_desc describe_forward(const Problem& p, bool bias, bool relu = false) {
  using P = dnnl::convolution_forward;
  auto kind = dnnl::prop_kind::forward_training;
  auto direct = dnnl::algorithm::convolution_direct;
  auto attr = relu ? onednn::attributes_with_relu() : onednn::attributes();
  if (bias) {
    return describe_with<P>(attr, kind, direct, p.x, p.w, p.bias, p.y, p.stride, p.dilation, p.before,
                            p.after);
  }
  return describe_with<P>(attr, kind, direct, p.x, p.w, p.y, p.stride, p.dilation, p.before, p.after);
}

// A primitive, and the reorder between the user's weights and those that it works with.
struct Convolution {
  bool slow = true;  // or not to be had at all
  Problem problem;
  onednn::Executable run, reorder;
  bool reorders = false;
  int64_t order = 0;  // of the weights, if they are reordered
};

template <class P>
Convolution made_of(Problem p, const typename P::primitive_desc& d, const memory::desc& best_w,
                    bool gives_weights) {
  Convolution made;
  made.slow = onednn::is_slow(d);
  p.w = best_w;
  made.problem = p;
  made.run = {P(d), d};
  made.reorders = p.w != p.plain_w;
  if (made.reorders) {
    made.order = onednn::packing_order(p.w);
    made.reorder =
        gives_weights ? onednn::make_reorder(p.w, p.plain_w) : onednn::make_reorder(p.plain_w, p.w);
  }
  return made;
}

Convolution make_forward(const Problem& p, bool bias, bool relu) {
  auto d = describe_forward(p, bias, relu);
  return made_of<dnnl::convolution_forward>(p, d, d.weights_desc(), false);
}

Convolution make_input(const Problem& p) {
  using P = dnnl::convolution_backward_data;
  auto d = describe_backward<P>(describe_forward(p, false), dnnl::algorithm::convolution_direct, p.x, p.w,
                                p.y, p.stride, p.dilation, p.before, p.after);
  return made_of<P>(p, d, d.weights_desc(), false);
}

Convolution make_weight(const Problem& p) {
  using P = dnnl::convolution_backward_weights;
  auto d = describe_backward<P>(describe_forward(p, false), dnnl::algorithm::convolution_direct, p.x, p.w,
                                p.y, p.stride, p.dilation, p.before, p.after);
  return made_of<P>(p, d, d.diff_weights_desc(), true);
}

std::shared_ptr<const Convolution> prepare(onednn::Kind kind, const ConvPart& part, const Array& w,
                                           const ConvGeometry& c, bool bias = false, bool relu = false) {
  onednn::Key key({kind, bias, relu, c.stride.h, c.stride.w, part.before, part.after, c.padding.w,
                   c.dilation.h, c.dilation.w, c.groups});
  return onednn::cached(key.add(part.x).add(w).add(part.y), [&] {
    Problem p = describe_problem(part, w, c);
    return kind == onednn::kConvForward ? make_forward(p, bias, relu)
           : kind == onednn::kConvInput ? make_input(p)
                                        : make_weight(p);
  });
}

// Memory for weights in oneDNN's order.
Array weights_buffer(const Convolution& c) {
  return Array::empty({static_cast<int64_t>(c.problem.w.get_size())}, DType::uint8);
}

Array in_order(const Convolution& c, const Array& w) {
  if (!c.reorders) return w;
  return packed(w, c.order, [&] {
    Array buffer = weights_buffer(c);
    c.reorder.run({{DNNL_ARG_FROM, c.problem.plain_w, w.data()}, {DNNL_ARG_TO, c.problem.w, buffer.data()}});
    return buffer;
  });
}

// A part of a convolution, ready to run.
struct Ready {
  ConvPart part;
  std::shared_ptr<const Convolution> c;
};

// Several parts are computed by one thread each, and what belongs to them is made for one thread. A single
// one is divided by oneDNN.
class ScopeFor {
 public:
  template <class T>
  explicit ScopeFor(const std::vector<T>& parts) {
    if (parts.size() > 1) serial_.emplace();
  }

 private:
  std::optional<SerialScope> serial_;
};

// Empty where oneDNN has nothing fast for one of them.
template <class Prepare>
std::vector<Ready> make_ready(const std::vector<ConvPart>& parts, const Prepare& prepare) {
  ScopeFor scope(parts);
  std::vector<Ready> out;
  for (const ConvPart& part : parts) {
    bool known = !out.empty() && part.is_like(out.back().part);
    out.push_back({part, known ? out.back().c : prepare(part)});
    if (out.back().c->slow) return {};
  }
  return out;
}

// Calls run(i) for each part.
template <class Run>
void each_part(const std::vector<Ready>& ready, const Run& run) {
  if (ready.size() == 1) return run(0);
  parallel_for(static_cast<int64_t>(ready.size()), 1, [&](int64_t begin, int64_t end) {
    SerialScope serial;
    for (int64_t i = begin; i < end; ++i) run(static_cast<size_t>(i));
  });
}

// The weights of each part in the order of its primitive.
std::vector<Array> weights_of(const std::vector<Ready>& ready, const Array& w) {
  ScopeFor scope(ready);
  std::vector<Array> out;
  for (size_t i = 0; i < ready.size(); ++i) {
    bool known = i > 0 && ready[i].c->problem.w == ready[i - 1].c->problem.w;
    out.push_back(known ? out.back() : in_order(*ready[i].c, w));
  }
  return out;
}

bool have_one_order(const std::vector<Ready>& ready) {
  return std::ranges::all_of(ready, [&](const Ready& r) { return r.c->problem.w == ready[0].c->problem.w; });
}

// What is there and the rows of `others`, in their order, which does not depend on the threads.
void add_rows(Array& sum, const Array& others) {
  auto* to = sum.data<float>();
  auto* from = others.data<float>();
  int64_t n = others.shape[1];
  parallel_for(n, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t row = 0; row < others.shape[0]; ++row) {
      for (int64_t i = begin; i < end; ++i) to[i] += from[row * n + i];
    }
  });
}

}  // namespace

bool conv2d_onednn(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
                   bool relu) {
  auto ready = make_ready(parts_of_result(x, w, y, geometry), [&](const ConvPart& part) {
    return prepare(onednn::kConvForward, part, w, geometry, bias, relu);
  });
  if (ready.empty()) return false;
  auto weights = weights_of(ready, w);
  Array row = bias ? row_major(*bias) : Array();
  each_part(ready, [&](size_t i) {
    const auto& [part, c] = ready[i];
    const Problem& p = c->problem;
    if (bias) {
      c->run.run({{DNNL_ARG_SRC, p.x, part.x.data()},
                  {DNNL_ARG_WEIGHTS, p.w, weights[i].data()},
                  {DNNL_ARG_BIAS, p.bias, row.data()},
                  {DNNL_ARG_DST, p.y, part.y.data()}});
    } else {
      c->run.run({{DNNL_ARG_SRC, p.x, part.x.data()},
                  {DNNL_ARG_WEIGHTS, p.w, weights[i].data()},
                  {DNNL_ARG_DST, p.y, part.y.data()}});
    }
  });
  return true;
}

bool conv2d_input_onednn(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry) {
  auto ready = make_ready(parts_of_images(gx, w, g, geometry), [&](const ConvPart& part) {
    return prepare(onednn::kConvInput, part, w, geometry);
  });
  if (ready.empty()) return false;
  auto weights = weights_of(ready, w);
  each_part(ready, [&](size_t i) {
    const auto& [part, c] = ready[i];
    c->run.run({{DNNL_ARG_DIFF_SRC, c->problem.x, part.x.data()},
                {DNNL_ARG_WEIGHTS, c->problem.w, weights[i].data()},
                {DNNL_ARG_DIFF_DST, c->problem.y, part.y.data()}});
  });
  return true;
}

bool conv2d_weight_onednn(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry) {
  auto make = [&](const std::vector<ConvPart>& parts) {
    return make_ready(parts,
                      [&](const ConvPart& p) { return prepare(onednn::kConvWeight, p, gw, geometry); });
  };
  auto ready = make(parts_of_images(x, gw, g, geometry));
  if (!have_one_order(ready)) ready = make({{x, g, geometry.padding.h, geometry.padding.h}});
  if (ready.empty()) return false;
  const Convolution& first = *ready[0].c;
  Array sum = first.reorders ? weights_buffer(first) : gw;
  int64_t others = static_cast<int64_t>(ready.size()) - 1, floats = sum.bytes() / 4;
  Array rest = Array::empty({others, floats}, DType::float32);
  each_part(ready, [&](size_t i) {
    const auto& [part, c] = ready[i];
    void* to = i == 0 ? sum.data() : rest.data<float>() + (static_cast<int64_t>(i) - 1) * floats;
    c->run.run({{DNNL_ARG_SRC, c->problem.x, part.x.data()},
                {DNNL_ARG_DIFF_WEIGHTS, c->problem.w, to},
                {DNNL_ARG_DIFF_DST, c->problem.y, part.y.data()}});
  });
  if (others) add_rows(sum, rest);
  if (first.reorders) {
    ScopeFor scope(ready);
    first.reorder.run(
        {{DNNL_ARG_FROM, first.problem.w, sum.data()}, {DNNL_ARG_TO, first.problem.plain_w, gw.data()}});
  }
  return true;
}

}  // namespace espalier::kernels
