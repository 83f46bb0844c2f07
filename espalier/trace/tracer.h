#pragma once

#include <string>
#include <vector>

#include <espalier/autograd/recorder.h>
#include <espalier/core/stopwatch.h>
#include <espalier/trace/options.h>
#include <espalier/trace/record.h>

namespace espalier::trace {

// Fills a Record with what this thread runs while it is the recorder:
//   trace::Tracer tracer;
//   { RecorderScope scope(&tracer); model(x); }
//   trace::Record record = tracer.take();
class Tracer final : public Recorder {
 public:
  explicit Tracer(Options options = {});
  ~Tracer() override;

  // Tensors that come up later under this name: a model's parameters and buffers.
  void name(const Tensor& tensor, std::string name);
  // From here on only the times of backwards are added, no calls: what a backward computes is not part of
  // the model.
  void only_times();
  Record take();

  void enter(const Scope& scope, std::span<const Tensor> inputs) override;
  void leave(std::span<const Tensor> outputs) override;
  int64_t operation(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs) override;
  void backward_begin(const char* op, int64_t number) override;
  void backward_end(const char* op, int64_t number, const Tensor& grad_output) override;

 private:
  double now() const { return clock_.seconds(); }
  int64_t number_of(const Tensor& tensor);
  int64_t add_tensor(const Tensor& tensor, int64_t producer);
  void keep_values(TensorInfo& info, const Tensor& tensor, const std::string& path);

  Options options_;
  Record record_;
  std::vector<int64_t> open_;  // calls of modules that run
  struct Known;
  Ref<Known> known_;           // tensors
  int64_t kept_ = 0;           // bytes of values
  std::vector<Tensor> alive_;  // so that no body's address is used twice
  Stopwatch clock_;
  double last_ = 0, backward_start_ = 0;
  bool only_times_ = false;
};

// Whether `path` matches `pattern`, in which * stands for any text.
bool matches(std::string_view pattern, std::string_view path);

}  // namespace espalier::trace
