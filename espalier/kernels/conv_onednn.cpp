#include <espalier/kernels/conv.h>
#include <espalier/kernels/dnnl.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/row_major.h>

namespace espalier::kernels {
namespace {

using dnnl::memory;
using onednn::describe;
using onednn::describe_backward;
using onednn::describe_with;

// What oneDNN is told of a convolution; x and y stand for their gradients as well.
struct Problem {
  memory::desc x, plain_w, w, bias, y;  // w: in the order that oneDNN likes best
  memory::dims stride, dilation, padding;
};

Problem describe_problem(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
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
          {c.padding.h, c.padding.w}};
}

dnnl::convolution_forward::primitive_desc describe_forward(const Problem& p, bool bias, bool relu = false) {
  using P = dnnl::convolution_forward;
  auto kind = dnnl::prop_kind::forward_training;
  auto direct = dnnl::algorithm::convolution_direct;
  auto attr = relu ? onednn::attributes_with_relu() : onednn::attributes();
  if (bias) {
    return describe_with<P>(attr, kind, direct, p.x, p.w, p.bias, p.y, p.stride, p.dilation, p.padding,
                            p.padding);
  }
  return describe_with<P>(attr, kind, direct, p.x, p.w, p.y, p.stride, p.dilation, p.padding, p.padding);
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
                                p.y, p.stride, p.dilation, p.padding, p.padding);
  return made_of<P>(p, d, d.weights_desc(), false);
}

Convolution make_weight(const Problem& p) {
  using P = dnnl::convolution_backward_weights;
  auto d = describe_backward<P>(describe_forward(p, false), dnnl::algorithm::convolution_direct, p.x, p.w,
                                p.y, p.stride, p.dilation, p.padding, p.padding);
  return made_of<P>(p, d, d.diff_weights_desc(), true);
}

std::shared_ptr<const Convolution> prepare(onednn::Kind kind, const Array& x, const Array& w, const Array& y,
                                           const ConvGeometry& c, bool bias = false, bool relu = false) {
  onednn::Key key({kind, bias, relu, c.stride.h, c.stride.w, c.padding.h, c.padding.w, c.dilation.h,
                   c.dilation.w, c.groups});
  return onednn::cached(key.add(x).add(w).add(y), [&] {
    Problem p = describe_problem(x, w, y, c);
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

}  // namespace

bool conv2d_onednn(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
                   bool relu) {
  auto c = prepare(onednn::kConvForward, x, w, y, geometry, bias, relu);
  if (c->slow) return false;
  const Problem& p = c->problem;
  Array weights = in_order(*c, w), row;
  if (bias) {
    row = row_major(*bias);
    c->run.run({{DNNL_ARG_SRC, p.x, x.data()},
                {DNNL_ARG_WEIGHTS, p.w, weights.data()},
                {DNNL_ARG_BIAS, p.bias, row.data()},
                {DNNL_ARG_DST, p.y, y.data()}});
  } else {
    c->run.run({{DNNL_ARG_SRC, p.x, x.data()},
                {DNNL_ARG_WEIGHTS, p.w, weights.data()},
                {DNNL_ARG_DST, p.y, y.data()}});
  }
  return true;
}

bool conv2d_input_onednn(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry) {
  auto c = prepare(onednn::kConvInput, gx, w, g, geometry);
  if (c->slow) return false;
  const Problem& p = c->problem;
  Array weights = in_order(*c, w);
  c->run.run({{DNNL_ARG_DIFF_SRC, p.x, gx.data()},
              {DNNL_ARG_WEIGHTS, p.w, weights.data()},
              {DNNL_ARG_DIFF_DST, p.y, g.data()}});
  return true;
}

bool conv2d_weight_onednn(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry) {
  auto c = prepare(onednn::kConvWeight, x, gw, g, geometry);
  if (c->slow) return false;
  const Problem& p = c->problem;
  Array buffer = c->reorders ? weights_buffer(*c) : gw;
  c->run.run({{DNNL_ARG_SRC, p.x, x.data()},
              {DNNL_ARG_DIFF_WEIGHTS, p.w, buffer.data()},
              {DNNL_ARG_DIFF_DST, p.y, g.data()}});
  if (c->reorders) {
    c->reorder.run({{DNNL_ARG_FROM, p.w, buffer.data()}, {DNNL_ARG_TO, p.plain_w, gw.data()}});
  }
  return true;
}

}  // namespace espalier::kernels
