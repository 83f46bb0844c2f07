#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <dnnl.hpp>

// A network on raw oneDNN 2: what its kernels allow with no framework around them. Orders in memory are
// oneDNN's own from end to end, everything is allocated once, ReLU is fused with what is before it, and the
// optimizer is one loop.
namespace bench {

struct Settings {
  dnnl::memory::data_type dtype =
      dnnl::memory::data_type::f32;  // of activations; weights have a float32 master copy
  bool winograd = false;             // for 3×3 convolutions of stride 1 that oneDNN has it for
  bool adam = false;                 // else SGD with momentum
};

struct Variable {
  dnnl::memory value, grad;
};
using Value = std::shared_ptr<Variable>;

class FloorNet {
 public:
  explicit FloorNet(const Settings& settings);

  Value input(const dnnl::memory::dims& sizes);
  Value conv(const Value& x, int64_t out, int64_t kernel, int64_t stride, bool bias, bool relu);
  Value batch_norm(const Value& x, bool relu);
  Value max_pool(const Value& x, int64_t size);
  Value mean_pool(const Value& x, int64_t size);
  Value linear(const Value& x, int64_t out, bool relu);
  Value add_relu(const Value& a, const Value& b);
  // The same value for two readers, whose gradients are added.
  std::pair<Value, Value> fork(const Value& x);

  // Ends the building: cross entropy of `logits` with random labels is the loss.
  void finish(const Value& logits);
  float train_step();  // returns the loss

 private:
  using Run = std::function<void()>;
  using Sizes = dnnl::memory::dims;
  using Desc = dnnl::memory::desc;
  struct Parameter {
    dnnl::memory weight, grad, momentum, square;
  };

  Value variable(const Desc& desc);
  const dnnl::memory& grad(const Value& v);
  Parameter& parameter(const Desc& desc, float scale);
  dnnl::memory working_copy(const dnnl::memory& weight, const Desc& desc, std::vector<Run>& runs);
  Value pool(const Value& x, int64_t size, dnnl::algorithm algorithm);
  void mask_grad(const Value& y, std::vector<Run>& runs);
  void weight_grad(const Desc& desc, Parameter& p, dnnl::memory& out, std::vector<Run>& after);
  float cross_entropy(const Value& logits);
  void update();

  Settings settings_;
  std::vector<Run> forward_, backward_;
  std::vector<std::function<void(std::vector<Run>&)>>
      makers_;  // of the backward passes, in the order of the layers
  std::vector<std::unique_ptr<Parameter>> parameters_;
  std::vector<int> labels_;
  Value logits_;
  int steps_ = 0;
};

}  // namespace bench
