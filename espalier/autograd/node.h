#pragma once

#include <array>
#include <optional>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier {

// The gradients that an operation's backward gives, one an input in order; undefined ones count as zero.
class Grads {
 public:
  Grads() = default;
  explicit Grads(std::vector<Tensor> many) : many_(std::move(many)), size_(many_.size()) {}
  void push_back(Tensor g) {
    if (size_ < few_.size()) few_[size_++] = std::move(g);
    else throw GradError("more gradients than Grads holds: pass a vector");
  }
  size_t size() const { return size_; }
  Tensor& operator[](size_t i) { return many_.empty() ? few_[i] : many_[i]; }

 private:
  std::array<Tensor, 6> few_;
  std::vector<Tensor> many_;
  size_t size_ = 0;
};

template <class... T>
Grads grads(T&&... gradients) {
  Grads out;
  (out.push_back(std::forward<T>(gradients)), ...);
  return out;
}

// Where the gradient of an input goes: to the operation that computed it, to a leaf, or nowhere.
struct Edge {
  Ref<Node> node;
  Ref<TensorBody> leaf;
};

// One operation on the tape. It has one output; its backward gives the gradients of its inputs.
class Node : public RefCounted<Node> {
 public:
  explicit Node(const char* op);
  virtual ~Node();
  static void destroy(Node* node) noexcept;  // without recursion down the graph
  static void* operator new(size_t bytes);
  static void operator delete(void* p, size_t bytes) noexcept;

  const char* op() const { return op_; }
  uint64_t sequence() const { return sequence_; }  // grows in the order of creation
  const Shape& shape() const { return shape_; }    // of the output
  DType dtype() const { return dtype_; }
  std::span<Edge> edges();
  int64_t number() const { return number_; }  // the recorder's

  // Gradients of the inputs from that of the output. Throws GradError when what it needs was released or
  // changed.
  Grads run(const Tensor& grad_output);
  void drop_saved();
  bool released() const { return released_; }  // what was saved

  // Set by record().
  void connect(const class Inputs& inputs, const Tensor& output, int64_t number);
  void save_output(const Array& output);

  std::vector<Callable<Tensor(const Tensor&)>> hooks;  // called with the output's gradient
  TensorBody* retains_grad = nullptr;                  // the output, if its gradient is to be kept
  Tensor pending;                                      // the gradient collected by a running backward

 protected:
  virtual Grads backward(const Tensor& grad_output) = 0;
  virtual void drop_backward() = 0;
  // The saved output as a tensor that stands on the tape where the output stood.
  Tensor output();

 private:
  const char* op_;
  uint64_t sequence_;
  Shape shape_;
  DType dtype_ = DType::float32;
  std::array<Edge, 3> few_;
  std::vector<Edge> many_;
  size_t edge_count_ = 0;
  int64_t number_ = 0;
  std::optional<Array> output_;
  uint64_t output_version_ = 0;
  bool released_ = false;
};

// Nodes alive in the process; tests look for leaks with it.
int64_t live_nodes();

}  // namespace espalier
