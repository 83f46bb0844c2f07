#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/node.h>
#include <espalier/autograd/recorder.h>

namespace espalier {

// A tensor kept for a backward. Reading it throws GradError when it was written in place meanwhile.
class Saved {
 public:
  explicit Saved(const Tensor& t) : tensor_(t), version_(t.defined() ? t.array().storage->version() : 0) {}
  const Tensor& operator*() const {
    check();
    return tensor_;
  }
  const Tensor* operator->() const { return &**this; }
  operator const Tensor&() const { return **this; }

 private:
  void check() const;
  Tensor tensor_;
  uint64_t version_;
};
// For inputs of an operation. An operation's own output is not captured: its backward takes it as second
// argument.
inline Saved saved(const Tensor& t) { return Saved(t); }

namespace detail {

template <class Backward>
class NodeOf final : public Node {
 public:
  NodeOf(const char* op, Backward b) : Node(op), backward_(std::move(b)) {}
  static constexpr bool kTakesOutput = std::is_invocable_v<Backward&, const Tensor&, const Tensor&>;

 private:
  Grads backward(const Tensor& g) override {
    if constexpr (kTakesOutput) return (*backward_)(g, output());
    else return (*backward_)(g);
  }
  void drop_backward() override { backward_.reset(); }

  std::optional<Backward> backward_;
};

bool on_tape(const Inputs& inputs);  // grad mode is on and an input needs a gradient
int64_t report(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs);
void attach(const Tensor& output, Ref<Node> node);
void mark_view(const Inputs& inputs, const Tensor& output);
void check_write(const char* op, const Tensor& target, bool taped);
// Computes what was put off and may read the tensor, which is about to be written.
void settle_readers(const Tensor& target);

template <class Backward>
void tape(const char* op, const Inputs& inputs, const Tensor& output, int64_t number, Backward&& backward) {
  using N = NodeOf<std::decay_t<Backward>>;
  auto node = Ref<Node>::first(new N(op, std::forward<Backward>(backward)));
  node->connect(inputs, output, number);
  if constexpr (N::kTakesOutput) node->save_output(output.array());
  attach(output, std::move(node));
}

}  // namespace detail

// Ends every differentiable operation: tells the recorder that `op` made `output` from `inputs`, and puts it
// on the tape with its backward, a function of the output's gradient (and, if it takes two arguments, of the
// output) that gives grads(…) of the inputs in order. A gradient may have a shape that the input broadcasts
// to, and another floating point dtype; the tape sums and converts it. Undefined inputs are allowed.
template <class Backward>
Tensor record(const char* op, const Inputs& inputs, Array output, Attrs attrs, Backward&& backward) {
  Tensor y(std::move(output));
  detail::mark_view(inputs, y);
  int64_t number = recorder() ? detail::report(op, inputs, y, attrs) : 0;
  if (detail::on_tape(inputs)) detail::tape(op, inputs, y, number, std::forward<Backward>(backward));
  return y;
}

// The same for an operation without gradient (comparisons, argmax).
inline Tensor record(const char* op, const Inputs& inputs, Array output, Attrs attrs = {}) {
  Tensor y(std::move(output));
  detail::mark_view(inputs, y);
  if (recorder()) detail::report(op, inputs, y, attrs);
  return y;
}

// An operation that writes `run()` into `target`, which is inputs[0]; the backward is with respect to the
// inputs as they were. Throws GradError for a leaf that needs a gradient, for a view on the tape, and for a
// target whose elements share memory (an expanded tensor).
template <class Run, class Backward>
Tensor& record_write(const char* op, Tensor& target, const Inputs& inputs, Attrs attrs, Run&& run,
                     Backward&& backward) {
  bool taped = detail::on_tape(inputs);
  detail::check_write(op, target, taped);
  detail::settle_readers(target);
  run();
  target.array().storage->bump_version();
  int64_t number = recorder() ? detail::report(op, inputs, target, attrs) : 0;
  if (taped) detail::tape(op, inputs, target, number, std::forward<Backward>(backward));
  return target;
}

}  // namespace espalier
