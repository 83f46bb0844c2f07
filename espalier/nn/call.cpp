#include <espalier/autograd/recorder.h>
#include <espalier/nn/call.h>

#include <map>

namespace espalier::nn::detail {

// A module and its first member have one address, so the kind takes part.
struct Paths {
  std::map<std::pair<const void*, std::string_view>, std::string> by_module;

  explicit Paths(ModuleRef root) {
    for (auto& [path, module] : root.named_modules()) by_module.emplace(key(module), path);
  }
  static std::pair<const void*, std::string_view> key(ModuleRef m) { return {m.address(), m.kind()}; }
};

namespace {
thread_local Call* innermost = nullptr;
}

Call::Call(ModuleRef module)
    : module_(module),
      parent_(innermost),
      outermost_(parent_ ? parent_->outermost_ : this),
      recorded_(recorder() != nullptr) {
  innermost = this;
  if (!parent_ && !recorded_) defer_.emplace();
}

Call::~Call() {
  innermost = parent_;
  delete paths_;
  if (!entered_) return;
  try {
    noted_.clear();
    leave();
  } catch (...) {  // the forward failed already
  }
}

void Call::note(const Tensor& tensor) { noted_.push_back(tensor); }

void Call::enter() {
  recorder()->enter({path(), std::string(module_.kind()), module_.extra_repr(), module_.address()}, noted_);
  noted_.clear();
  entered_ = true;
}

void Call::leave() {
  entered_ = false;
  if (Recorder* r = recorder()) r->leave(noted_);
  noted_.clear();
}

// A module that is not below the outermost one (made in a forward, say) goes by its kind, under its caller.
std::string Call::path() const {
  if (outermost_ == this) return {};
  auto& paths = outermost_->paths_;
  if (!paths) paths = new Paths(outermost_->module_);
  auto found = paths->by_module.find(Paths::key(module_));
  if (found != paths->by_module.end()) return found->second;
  std::string caller = parent_->path();
  return concat(caller, caller.empty() ? "" : ".", module_.kind());
}

void Call::failed(Error& error) {
  if (named_ != &error) {
    std::string where = path();
    error.prepend(where.empty() ? concat(module_.kind(), ": ") : concat(where, " (", module_.kind(), "): "));
  }
  if (parent_) parent_->named_ = &error;
}

}  // namespace espalier::nn::detail
