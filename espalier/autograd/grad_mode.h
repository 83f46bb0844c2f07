#pragma once

namespace espalier {

// Whether operations of this thread are put on the tape.
bool grad_enabled();

// Sets it for a scope.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

// `NoGrad guard;` is PyTorch's `with torch.no_grad():`.
struct NoGrad : GradMode {
  NoGrad() : GradMode(false) {}
};
struct EnableGrad : GradMode {
  EnableGrad() : GradMode(true) {}
};

}  // namespace espalier
