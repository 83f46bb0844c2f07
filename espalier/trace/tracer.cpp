#include <espalier/trace/tracer.h>

#include <unordered_map>

#include <espalier/autograd/grad_mode.h>
#include <espalier/trace/cost.h>

namespace espalier::trace {
namespace {

std::string order_of(const Array& a) {
  if (a.is_contiguous()) return "contiguous";
  return a.is_channels_last() ? "channels_last" : "strided";
}

std::string text(Attrs attrs) {
  std::string out;
  for (const Attr& a : attrs) out += concat(out.empty() ? "" : ", ", a);
  return out;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  if (pattern.front() == '*') {
    return matches(pattern.substr(1), path) || (!path.empty() && matches(pattern, path.substr(1)));
  }
  return !path.empty() && pattern.front() == path.front() && matches(pattern.substr(1), path.substr(1));
}

// By a tensor's body.
struct Tracer::Known : RefCounted<Known> {
  std::unordered_map<const void*, int64_t> numbers;
  std::unordered_map<const void*, std::string> names;
};

Tracer::Tracer(Options options) : options_(std::move(options)), known_(make_ref<Known>()) {}
Tracer::~Tracer() = default;

void Tracer::name(const Tensor& tensor, std::string name) { known_->names[tensor.body()] = std::move(name); }

void Tracer::only_times() {
  only_times_ = true;
  alive_.clear();
  known_->numbers.clear();
}

Record Tracer::take() {
  alive_.clear();
  known_->numbers.clear();
  kept_ = 0;
  only_times_ = false;
  return std::exchange(record_, {});
}

void Tracer::enter(const Scope& scope, std::span<const Tensor> inputs) {
  Call call;
  call.parent = open_.empty() ? -1 : open_.back();
  call.module = true;
  call.path = scope.path, call.kind = scope.kind, call.settings = scope.settings;
  for (const Tensor& t : inputs) {
    if (t.defined()) call.inputs.push_back(number_of(t));
  }
  call.start = last_ = now();
  open_.push_back(static_cast<int64_t>(record_.calls.size()));
  record_.calls.push_back(std::move(call));
}

void Tracer::leave(std::span<const Tensor> outputs) {
  int64_t number = open_.back();
  open_.pop_back();
  Call& call = record_.calls[number];
  call.seconds = (last_ = now()) - call.start;
  for (const Tensor& t : outputs) {
    if (t.defined()) call.outputs.push_back(number_of(t));
  }
  if (call.parent >= 0) record_.calls[call.parent].flops += call.flops;
}

int64_t Tracer::operation(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs) {
  if (only_times_) return -1;
  double end = now();
  Call call;
  call.parent = open_.empty() ? -1 : open_.back();
  call.path = open_.empty() ? "" : record_.calls[open_.back()].path;
  call.kind = op;
  call.settings = text(attrs);
  call.start = last_, call.seconds = end - last_;
  call.flops = flops(op, inputs, output);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined()) call.inputs.push_back(number_of(inputs[i]));
  }
  auto number = static_cast<int64_t>(record_.calls.size());
  call.outputs.push_back(add_tensor(output, number));
  if (call.parent >= 0) record_.calls[call.parent].flops += call.flops;
  record_.calls.push_back(std::move(call));
  last_ = now();  // what the tracer itself took is nobody's
  return number;
}

void Tracer::backward_begin(const char*, int64_t) { backward_start_ = now(); }

void Tracer::backward_end(const char* op, int64_t number, const Tensor&) {
  if (number < 0 || number >= static_cast<int64_t>(record_.calls.size())) return;
  Call& call = record_.calls[number];
  if (call.kind == op) call.backward_seconds += now() - backward_start_;
}

int64_t Tracer::number_of(const Tensor& tensor) {
  auto known = known_->numbers.find(tensor.body());
  return known == known_->numbers.end() ? add_tensor(tensor, -1) : known->second;
}

int64_t Tracer::add_tensor(const Tensor& tensor, int64_t producer) {
  TensorInfo info;
  info.producer = producer;
  info.shape = tensor.shape();
  info.dtype = tensor.dtype();
  info.order = order_of(tensor.array());
  if (auto named = known_->names.find(tensor.body()); named != known_->names.end()) info.name = named->second;
  keep_values(info, tensor, open_.empty() ? "" : record_.calls[open_.back()].path);
  auto number = static_cast<int64_t>(record_.tensors.size());
  known_->numbers[tensor.body()] = number;
  alive_.push_back(tensor);
  record_.tensors.push_back(std::move(info));
  return number;
}

void Tracer::keep_values(TensorInfo& info, const Tensor& tensor, const std::string& path) {
  if (shapes_only()) return;
  RecorderScope off(nullptr);
  NoGrad no_grad;
  if (options_.level == Level::stats) info.stats = stats(tensor.array());
  int64_t bytes = tensor.array().bytes();
  if (options_.values.empty() || !matches(options_.values, path) || bytes > options_.value_bytes - kept_)
    return;
  info.values = tensor.clone().array();
  kept_ += bytes;
}

}  // namespace espalier::trace
