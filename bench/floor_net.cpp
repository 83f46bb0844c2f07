#include "floor_net.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

namespace bench {
namespace {

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;
using Args = std::unordered_map<int, memory>;

const engine& cpu() {
  static engine e(engine::kind::cpu, 0);
  return e;
}
stream& queue() {
  static stream s(cpu());
  return s;
}

memory zeros(const memory::desc& desc) {
  memory m(desc, cpu());
  std::memset(m.get_data_handle(), 0, desc.get_size());
  return m;
}
float* floats(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
int64_t count(const memory& m) { return static_cast<int64_t>(m.get_desc().get_size() / sizeof(float)); }

memory::desc as_float(memory::desc desc) {
  desc.data.data_type = dnnl_f32;
  return desc;
}
memory::desc vector_of(int64_t n) { return {{n}, type::f32, tag::x}; }

float uniform() {  // from -1 to 1
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(state >> 8) / 8388608.0f - 1;
}

std::function<void()> run(const primitive& p, const Args& args) {
  return [=] { p.execute(queue(), args); };
}
std::function<void()> copy(const memory& from, const memory& to) {
  return run(reorder(reorder::primitive_desc(from, to)), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

primitive_attr fused(bool relu) {
  primitive_attr attributes;
  post_ops after;
  if (relu) after.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
  attributes.set_post_ops(after);
  return attributes;
}

// Values of small float32 or bfloat16 memory.
float get(const memory& m, int64_t i) {
  if (m.get_desc().data_type() == type::f32) return floats(m)[i];
  return std::bit_cast<float>(uint32_t{static_cast<uint16_t*>(m.get_data_handle())[i]} << 16);
}
void set(const memory& m, int64_t i, float x) {
  if (m.get_desc().data_type() == type::f32) return void(floats(m)[i] = x);
  static_cast<uint16_t*>(m.get_data_handle())[i] =
      static_cast<uint16_t>((std::bit_cast<uint32_t>(x) + 0x8000) >> 16);
}

}  // namespace

FloorNet::FloorNet(const Settings& settings) : settings_(settings) {}

Value FloorNet::variable(const Desc& desc) { return std::make_shared<Variable>(Variable{zeros(desc), {}}); }

const memory& FloorNet::grad(const Value& v) {
  if (!v->grad) v->grad = zeros(v->value.get_desc());
  return v->grad;
}

FloorNet::Parameter& FloorNet::parameter(const Desc& desc, float scale) {
  parameters_.push_back(std::make_unique<Parameter>(Parameter{zeros(desc), zeros(desc), zeros(desc), {}}));
  Parameter& p = *parameters_.back();
  if (settings_.adam) p.square = zeros(desc);
  std::generate_n(floats(p.weight), count(p.weight), [&] { return scale * uniform(); });
  return p;
}

// `weight` in the order and type of `desc`, refreshed by `runs`.
memory FloorNet::working_copy(const memory& weight, const Desc& desc, std::vector<Run>& runs) {
  if (weight.get_desc() == desc) return weight;
  memory c = zeros(desc);
  runs.push_back(copy(weight, c));
  return c;
}

// Where a backward pass writes a weight's gradient as `desc`; `after` brings it into the weight's order.
void FloorNet::weight_grad(const Desc& desc, Parameter& p, memory& out, std::vector<Run>& after) {
  bool same = desc == p.grad.get_desc();
  out = same ? p.grad : zeros(desc);
  if (!same) after.push_back(copy(out, p.grad));
}

// The gradient of a fused ReLU, in place.
void FloorNet::mask_grad(const Value& y, std::vector<Run>& runs) {
  Desc desc = y->value.get_desc();
  auto relu = algorithm::eltwise_relu_use_dst_for_bwd;
  eltwise_forward::primitive_desc hint({prop_kind::forward_training, relu, desc, 0.f}, cpu());
  eltwise_backward::primitive_desc pd({relu, desc, desc, 0.f}, cpu(), hint);
  runs.push_back(run(eltwise_backward(pd),
                     {{DNNL_ARG_DST, y->value}, {DNNL_ARG_DIFF_DST, grad(y)}, {DNNL_ARG_DIFF_SRC, grad(y)}}));
}

Value FloorNet::input(const Sizes& sizes) {
  memory plain(Desc(sizes, type::f32, sizes.size() == 4 ? tag::nchw : tag::nc), cpu());
  std::generate_n(floats(plain), count(plain), uniform);
  Value x = variable({sizes, settings_.dtype, sizes.size() == 4 ? tag::nchw : tag::nc});
  copy(plain, x->value)();
  queue().wait();
  return x;
}

Value FloorNet::conv(const Value& x, int64_t out, int64_t kernel, int64_t stride, bool bias, bool relu) {
  Desc in = x->value.get_desc();
  Sizes sizes = in.dims(), strides{stride, stride}, padding{kernel / 2, kernel / 2};
  bool first = makers_.empty(), winograd = settings_.winograd && kernel == 3 && stride == 1 && !first;
  auto algorithm = winograd ? algorithm::convolution_winograd : algorithm::convolution_direct;
  int64_t height = (sizes[2] - 1) / stride + 1, width = (sizes[3] - 1) / stride + 1;
  Desc any_y({sizes[0], out, height, width}, settings_.dtype, tag::any);
  Desc any_w({out, sizes[1], kernel, kernel}, settings_.dtype, tag::any),
      bias_desc = bias ? vector_of(out) : Desc();

  convolution_forward::primitive_desc forward(
      {prop_kind::forward_training, algorithm, in, any_w, bias_desc, any_y, strides, padding, padding},
      fused(relu), cpu());
  Value y = variable(forward.dst_desc());
  float scale = 1 / std::sqrt(static_cast<float>(sizes[1] * kernel * kernel));
  Parameter& w = parameter(as_float(forward.weights_desc()), scale);
  Parameter* b = bias ? &parameter(bias_desc, scale) : nullptr;
  Args args{{DNNL_ARG_SRC, x->value},
            {DNNL_ARG_WEIGHTS, working_copy(w.weight, forward.weights_desc(), forward_)},
            {DNNL_ARG_DST, y->value}};
  if (b) args[DNNL_ARG_BIAS] = b->weight;
  forward_.push_back(run(convolution_forward(forward), args));

  makers_.push_back([=, this, &w](std::vector<Run>& runs) {
    Desc y_desc = y->value.get_desc();
    if (relu) mask_grad(y, runs);
    convolution_backward_weights::primitive_desc weights(
        {algorithm, in, as_float(any_w), bias_desc, y_desc, strides, padding, padding}, cpu(), forward);
    std::vector<Run> after;
    Args args{{DNNL_ARG_SRC, x->value}, {DNNL_ARG_DIFF_DST, grad(y)}};
    weight_grad(weights.diff_weights_desc(), w, args[DNNL_ARG_DIFF_WEIGHTS], after);
    if (b) args[DNNL_ARG_DIFF_BIAS] = b->grad;
    runs.push_back(run(convolution_backward_weights(weights), args));
    runs.insert(runs.end(), after.begin(), after.end());
    if (first) return;
    convolution_backward_data::primitive_desc data({algorithm, in, any_w, y_desc, strides, padding, padding},
                                                   cpu(), forward);
    memory turned = working_copy(w.weight, data.weights_desc(), runs);
    runs.push_back(
        run(convolution_backward_data(data),
            {{DNNL_ARG_DIFF_SRC, grad(x)}, {DNNL_ARG_WEIGHTS, turned}, {DNNL_ARG_DIFF_DST, grad(y)}}));
  });
  return y;
}

Value FloorNet::linear(const Value& x, int64_t out, bool relu) {
  Desc in = x->value.get_desc();
  Sizes sizes = in.dims(), weight_sizes = sizes;
  weight_sizes[0] = out;
  bool first = makers_.empty();
  Desc any_w(weight_sizes, settings_.dtype, tag::any), bias_desc = vector_of(out);
  Desc plain_y({sizes[0], out}, settings_.dtype, tag::nc);

  inner_product_forward::primitive_desc forward({prop_kind::forward_training, in, any_w, bias_desc, plain_y},
                                                fused(relu), cpu());
  Value y = variable(plain_y);
  int64_t features = 1;
  for (size_t i = 1; i < sizes.size(); ++i) features *= sizes[i];
  float scale = 1 / std::sqrt(static_cast<float>(features));
  Parameter& w = parameter(as_float(forward.weights_desc()), scale);
  Parameter& b = parameter(bias_desc, scale);
  memory used = working_copy(w.weight, forward.weights_desc(), forward_);
  forward_.push_back(run(inner_product_forward(forward), {{DNNL_ARG_SRC, x->value},
                                                          {DNNL_ARG_WEIGHTS, used},
                                                          {DNNL_ARG_BIAS, b.weight},
                                                          {DNNL_ARG_DST, y->value}}));

  makers_.push_back([=, this, &w, &b](std::vector<Run>& runs) {
    if (relu) mask_grad(y, runs);
    inner_product_backward_weights::primitive_desc weights({in, as_float(any_w), bias_desc, plain_y}, cpu(),
                                                           forward);
    std::vector<Run> after;
    Args args{{DNNL_ARG_SRC, x->value}, {DNNL_ARG_DIFF_DST, grad(y)}, {DNNL_ARG_DIFF_BIAS, b.grad}};
    weight_grad(weights.diff_weights_desc(), w, args[DNNL_ARG_DIFF_WEIGHTS], after);
    runs.push_back(run(inner_product_backward_weights(weights), args));
    runs.insert(runs.end(), after.begin(), after.end());
    if (first) return;
    inner_product_backward_data::primitive_desc data({in, any_w, plain_y}, cpu(), forward);
    memory turned = working_copy(w.weight, data.weights_desc(), runs);
    runs.push_back(
        run(inner_product_backward_data(data),
            {{DNNL_ARG_DIFF_SRC, grad(x)}, {DNNL_ARG_WEIGHTS, turned}, {DNNL_ARG_DIFF_DST, grad(y)}}));
  });
  return y;
}

Value FloorNet::batch_norm(const Value& x, bool relu) {
  Desc desc = x->value.get_desc(), channels = vector_of(desc.dims()[1]);
  auto flags = normalization_flags::use_scale | normalization_flags::use_shift;
  if (relu) flags |= normalization_flags::fuse_norm_relu;
  batch_normalization_forward::primitive_desc forward({prop_kind::forward_training, desc, 1e-5f, flags},
                                                      cpu());
  Value y = variable(desc);
  Parameter &scale = parameter(channels, 0), &shift = parameter(channels, 0);
  std::fill_n(floats(scale.weight), count(scale.weight), 1.0f);
  Args args{{DNNL_ARG_SRC, x->value},         {DNNL_ARG_DST, y->value},
            {DNNL_ARG_SCALE, scale.weight},   {DNNL_ARG_SHIFT, shift.weight},
            {DNNL_ARG_MEAN, zeros(channels)}, {DNNL_ARG_VARIANCE, zeros(channels)}};
  if (relu) args[DNNL_ARG_WORKSPACE] = zeros(forward.workspace_desc());
  forward_.push_back(run(batch_normalization_forward(forward), args));

  makers_.push_back([=, this, &scale, &shift](std::vector<Run>& runs) {
    batch_normalization_backward::primitive_desc pd({prop_kind::backward, desc, desc, 1e-5f, flags}, cpu(),
                                                    forward);
    Args back = args;
    back.insert({{DNNL_ARG_DIFF_DST, grad(y)},
                 {DNNL_ARG_DIFF_SRC, grad(x)},
                 {DNNL_ARG_DIFF_SCALE, scale.grad},
                 {DNNL_ARG_DIFF_SHIFT, shift.grad}});
    runs.push_back(run(batch_normalization_backward(pd), back));
  });
  return y;
}

Value FloorNet::max_pool(const Value& x, int64_t size) { return pool(x, size, algorithm::pooling_max); }
Value FloorNet::mean_pool(const Value& x, int64_t size) {
  return pool(x, size, algorithm::pooling_avg_exclude_padding);
}

Value FloorNet::pool(const Value& x, int64_t size, algorithm algorithm) {
  Desc in = x->value.get_desc();
  Sizes sizes = in.dims(), window{size, size}, none{0, 0};
  Desc any_y({sizes[0], sizes[1], sizes[2] / size, sizes[3] / size}, settings_.dtype, tag::any);
  pooling_forward::primitive_desc forward(
      {prop_kind::forward_training, algorithm, in, any_y, window, window, none, none}, cpu());
  Value y = variable(forward.dst_desc());
  Args args{{DNNL_ARG_SRC, x->value}, {DNNL_ARG_DST, y->value}};
  if (algorithm == algorithm::pooling_max) args[DNNL_ARG_WORKSPACE] = zeros(forward.workspace_desc());
  forward_.push_back(run(pooling_forward(forward), args));

  makers_.push_back([=, this](std::vector<Run>& runs) {
    pooling_backward::primitive_desc pd({algorithm, in, y->value.get_desc(), window, window, none, none},
                                        cpu(), forward);
    Args back = args;
    back.insert({{DNNL_ARG_DIFF_DST, grad(y)}, {DNNL_ARG_DIFF_SRC, grad(x)}});
    runs.push_back(run(pooling_backward(pd), back));
  });
  return y;
}

// Both readers' gradient is the sum's own, so the three share one.
Value FloorNet::add_relu(const Value& a, const Value& b) {
  Desc desc = a->value.get_desc();
  Value y = variable(desc);
  binary::primitive_desc pd({algorithm::binary_add, desc, b->value.get_desc(), desc}, fused(true), cpu());
  forward_.push_back(
      run(binary(pd), {{DNNL_ARG_SRC_0, a->value}, {DNNL_ARG_SRC_1, b->value}, {DNNL_ARG_DST, y->value}}));
  makers_.push_back([=, this](std::vector<Run>& runs) {
    mask_grad(y, runs);
    a->grad = b->grad = grad(y);
  });
  return y;
}

std::pair<Value, Value> FloorNet::fork(const Value& x) {
  Value a = std::make_shared<Variable>(*x), b = std::make_shared<Variable>(*x);
  makers_.push_back([=, this](std::vector<Run>& runs) {
    Desc desc = x->value.get_desc();
    binary add(binary::primitive_desc({algorithm::binary_add, desc, desc, desc}, cpu()));
    runs.push_back(run(add, {{DNNL_ARG_SRC_0, grad(a)}, {DNNL_ARG_SRC_1, grad(b)}, {DNNL_ARG_DST, grad(x)}}));
  });
  return {a, b};
}

void FloorNet::finish(const Value& logits) {
  logits_ = logits;
  for (int64_t i = 0; i < logits->value.get_desc().dims()[0]; ++i)
    labels_.push_back(static_cast<int>(i * 7 % 10));
  std::for_each(makers_.rbegin(), makers_.rend(), [&](auto& make) { make(backward_); });
}

float FloorNet::train_step() {
  for (Run& r : forward_) r();
  queue().wait();
  float loss = cross_entropy(logits_);
  for (Run& r : backward_) r();
  queue().wait();
  update();
  return loss;
}

float FloorNet::cross_entropy(const Value& logits) {
  int64_t classes = logits->value.get_desc().dims()[1], n = static_cast<int64_t>(labels_.size());
  const memory& g = grad(logits);
  std::vector<float> e(static_cast<size_t>(classes));
  float loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    float most = -1e30f, sum = 0;
    for (int64_t j = 0; j < classes; ++j) most = std::max(most, get(logits->value, i * classes + j));
    for (int64_t j = 0; j < classes; ++j) sum += e[j] = std::exp(get(logits->value, i * classes + j) - most);
    loss -= std::log(e[labels_[i]] / sum);
    for (int64_t j = 0; j < classes; ++j)
      set(g, i * classes + j, (e[j] / sum - (j == labels_[i])) / static_cast<float>(n));
  }
  return loss / static_cast<float>(n);
}

void FloorNet::update() {
  ++steps_;
  constexpr float kRate = 1e-3f, kBeta1 = 0.9f, kBeta2 = 0.999f, kEps = 1e-8f;
  float scale1 = 1 / (1 - std::pow(kBeta1, steps_)), scale2 = 1 / (1 - std::pow(kBeta2, steps_));
  bool adam = settings_.adam;
  for (auto& p : parameters_) {
    float *w = floats(p->weight), *g = floats(p->grad), *m = floats(p->momentum),
          *v = adam ? floats(p->square) : nullptr;
    int64_t n = count(p->weight);
#pragma omp parallel for simd if (n > 16384)
    for (int64_t i = 0; i < n; ++i) {
      m[i] = kBeta1 * m[i] + (adam ? 1 - kBeta1 : 1) * g[i];
      if (!adam) {
        w[i] -= kRate * m[i];
        continue;
      }
      v[i] = kBeta2 * v[i] + (1 - kBeta2) * g[i] * g[i];
      w[i] -= kRate * scale1 * m[i] / (std::sqrt(v[i] * scale2) + kEps);
    }
  }
}

}  // namespace bench
