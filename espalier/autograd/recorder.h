#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier {

// A setting of an operation, such as {"dim", 1}: a number, a text or a shape. Valid during the call that it
// is passed to.
struct Attr {
  Attr(const char* name, bool v) : name(name), number(v) {}
  Attr(const char* name, int v) : name(name), number(v) {}
  Attr(const char* name, int64_t v) : name(name), number(v) {}
  Attr(const char* name, double v) : name(name), number(v) {}
  Attr(const char* name, Scalar v) : name(name), number(v) {}
  Attr(const char* name, const char* v) : name(name), number(0), text(v) {}
  Attr(const char* name, const Shape& v) : name(name), number(0), shape(&v) {}

  const char* name;
  Scalar number;
  const char* text = nullptr;
  const Shape* shape = nullptr;
};
// "dim=1"
std::string to_string(const Attr& attr);
using Attrs = std::initializer_list<Attr>;

// The tensors an operation reads: `{x, weight, bias}` or a vector. Valid during the call that it is passed
// to.
class Inputs {
 public:
  struct Item {
    Item(const Tensor& t) : tensor(&t) {}
    const Tensor* tensor;
  };
  Inputs(std::initializer_list<Item> items) : items_(items), size_(items.size()) {}
  Inputs(std::span<const Tensor> tensors) : tensors_(tensors.data()), size_(tensors.size()) {}
  Inputs(const std::vector<Tensor>& tensors) : tensors_(tensors.data()), size_(tensors.size()) {}

  size_t size() const { return size_; }
  const Tensor& operator[](size_t i) const { return tensors_ ? tensors_[i] : *items_.begin()[i].tensor; }

 private:
  std::initializer_list<Item> items_;
  const Tensor* tensors_ = nullptr;
  size_t size_ = 0;
};

// What surrounds operations: a module's call.
struct Scope {
  std::string path = {};      // of the module below the outermost one that runs: "blocks.1.conv1"
  std::string kind = {};      // "Conv2d"
  std::string settings = {};  // as printed: "3, 32, kernel_size=(3, 3), stride=(1, 1)"
  const void* module = nullptr;
};

// Sees what this thread runs. `trace` implements it; operations and modules report to it.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void enter(const Scope& scope, std::span<const Tensor> inputs) = 0;
  virtual void leave(std::span<const Tensor> outputs) = 0;
  // Returns a number by which the operation's backward is reported later.
  virtual int64_t operation(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs) = 0;
  virtual void backward_begin(const char* op, int64_t number) = 0;
  virtual void backward_end(const char* op, int64_t number, const Tensor& grad_output) = 0;
};

Recorder* recorder();  // this thread's; null when nothing is recorded

class RecorderScope {
 public:
  explicit RecorderScope(Recorder* r);
  ~RecorderScope();
  RecorderScope(const RecorderScope&) = delete;
  RecorderScope& operator=(const RecorderScope&) = delete;

 private:
  Recorder* before_;
};

}  // namespace espalier
