#include <espalier/autograd/node.h>

#include <atomic>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/record.h>
#include <espalier/core/allocator.h>
#include <espalier/core/deferred.h>

namespace espalier {
namespace {

std::atomic<uint64_t> next_sequence{1};
std::atomic<int64_t> live{0};
thread_local const char* running = nullptr;  // the operation whose backward runs

thread_local bool grad_enabled_now = true;
thread_local Recorder* recorder_now = nullptr;

struct Running {
  explicit Running(const char* op) : before(std::exchange(running, op)) {}
  ~Running() { running = before; }
  const char* before;
};

}  // namespace

int64_t live_nodes() { return live; }

bool grad_enabled() { return grad_enabled_now; }
GradMode::GradMode(bool enabled) : before_(std::exchange(grad_enabled_now, enabled)) {}
GradMode::~GradMode() { grad_enabled_now = before_; }

Recorder* recorder() { return recorder_now; }
RecorderScope::RecorderScope(Recorder* r) : before_(std::exchange(recorder_now, r)) {}
RecorderScope::~RecorderScope() { recorder_now = before_; }

std::string to_string(const Attr& a) {
  if (a.shape) return concat(a.name, "=", *a.shape);
  if (a.text) return concat(a.name, "=", a.text);
  switch (a.number.kind()) {
    case Scalar::Kind::floating: return concat(a.name, "=", a.number.to_double());
    case Scalar::Kind::integer: return concat(a.name, "=", a.number.to_int64());
    default: return concat(a.name, "=", a.number.to_int64() != 0);
  }
}

Node::Node(const char* op) : op_(op), sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  live.fetch_add(1, std::memory_order_relaxed);
}
Node::~Node() { live.fetch_sub(1, std::memory_order_relaxed); }

void Node::destroy(Node* node) noexcept {
  thread_local std::vector<Node*>* queue = nullptr;
  if (queue) return queue->push_back(node);
  std::vector<Node*> pending{node};
  queue = &pending;
  while (!pending.empty()) {
    Node* next = pending.back();
    pending.pop_back();
    delete next;
  }
  queue = nullptr;
}

void* Node::operator new(size_t bytes) { return allocate(bytes); }
void Node::operator delete(void* p, size_t bytes) noexcept { deallocate(p, bytes); }
void* TensorBody::operator new(size_t bytes) { return allocate(bytes); }
void TensorBody::operator delete(void* p, size_t bytes) noexcept { deallocate(p, bytes); }

TensorBody::TensorBody(Array a) : array(std::move(a)) {}

TensorBody::~TensorBody() {
  if (node && node->retains_grad == this) node->retains_grad = nullptr;
}

Grads Node::run(const Tensor& grad_output) {
  require<GradError>(
      !released_, "backward a second time through ", op_,
      ": what it saved was released by the first; pass {.retain_graph = true} to the first one");
  Running scope(op_);
  Grads out = backward(grad_output);
  require<GradError>(out.size() <= edge_count_, op_, ": its backward gave ", out.size(), " gradients for ",
                     edge_count_, " inputs");
  return out;
}

std::span<Edge> Node::edges() { return {many_.empty() ? few_.data() : many_.data(), edge_count_}; }

void Node::drop_saved() {
  drop_backward();
  output_.reset();
  released_ = true;
}

void Node::connect(const Inputs& inputs, const Tensor& output, int64_t number) {
  shape_ = output.shape();
  dtype_ = output.dtype();
  number_ = number;
  edge_count_ = inputs.size();
  if (edge_count_ > few_.size()) many_.resize(edge_count_);
  auto to = edges();
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorBody* body = inputs[i].body();
    if (!body) continue;
    if (body->node) to[i].node = body->node;
    else if (body->requires_grad) to[i].leaf = Ref<TensorBody>(body);
  }
}

void Node::save_output(const Array& output) {
  output_ = output;
  output_version_ = output.storage->version();
}

Tensor Node::output() {
  require<GradError>(
      output_->storage->version() == output_version_, "the result of ", op_,
      " is needed for its gradient and was written in place since; write to a clone() instead");
  Tensor y(*output_);
  if (grad_enabled()) y.body()->node = Ref<Node>(this);
  return y;
}

void Saved::check() const {
  if (!tensor_.defined() || tensor_.array().storage->version() == version_) return;
  throw GradError(concat(running ? running : "an operation",
                         " needs one of its inputs for the gradient, a tensor ", tensor_.shape(),
                         ", which was written in place since; write to a clone() instead"));
}

namespace detail {

bool on_tape(const Inputs& inputs) {
  if (!grad_enabled_now) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].requires_grad()) return true;
  }
  return false;
}

int64_t report(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs) {
  return recorder_now->operation(op, inputs, output, attrs);
}

void attach(const Tensor& output, Ref<Node> node) { output.body()->node = std::move(node); }

void mark_view(const Inputs& inputs, const Tensor& output) {
  if (inputs.size() > 0 && inputs[0].defined()) {
    output.body()->is_view = inputs[0].array().storage == output.array().storage;
  }
}

void check_write(const char* op, const Tensor& target, bool taped) {
  const Array& a = target.array();
  for (int i = 0; i < a.rank(); ++i) {
    require<ValueError>(a.strides[i] != 0 || a.shape[i] <= 1, op, ": the elements of the target ", a.shape,
                        " share memory (it was expanded); write to a clone() instead");
  }
  if (!grad_enabled_now) return;
  require<GradError>(!(target.is_leaf() && target.requires_grad()), op,
                     ": a leaf that needs a gradient can't be written in place; do it under NoGrad");
  require<GradError>(
      !(taped && target.body()->is_view), op,
      ": a view can't be written in place where gradients are recorded; write to a clone() instead");
}

void settle_readers(const Tensor& target) {
  if (target.array().storage->use_count() > 1) settle_deferred();  // work put off holds what it reads
}

}  // namespace detail
}  // namespace espalier
