#include <espalier/core/deferred.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include <espalier/core/error.h>

namespace espalier {
namespace {

constexpr int64_t kLeast = 1 << 14;  // elements; what is smaller stays in the cache anyway

std::atomic<bool> enabled{true};
thread_local bool scope_open = false;
thread_local std::vector<Ref<Storage>> waiting;

// What nobody holds any more will not be read.
void forget_dropped() {
  std::erase_if(waiting, [](const Ref<Storage>& s) { return s->use_count() == 1 || !s->deferred(); });
}

template <class Wanted>
void settle(Wanted&& wanted) {
  if (waiting.empty()) return;
  forget_dropped();
  // Computing may put further work off, but not into this list.
  for (const Ref<Storage>& s : std::exchange(waiting, {})) {
    Ref<Deferred> work = s->deferred();
    if (!work) continue;
    if (wanted(*work)) s->data();
    else waiting.push_back(s);
  }
}

}  // namespace

Deferred::Deferred(const Array& target, bool lasting) : target_(target), lasting_(lasting) {
  target_.storage = nullptr;
}

void Deferred::compute_into(Ref<Storage> memory) const {
  DeferScope at_once(false);
  Array out = target_;
  out.storage = std::move(memory);
  compute(out);
}

bool Deferred::is_all(const Array& a) const {
  return a.offset == target_.offset && a.shape == target_.shape && a.strides == target_.strides;
}

const Array& Kept::operator*() const {
  require<ValueError>(
      array_.storage->version() == version_, "a tensor ", array_.shape,
      " was written by another thread while its values were still needed; write to a clone()");
  return array_;
}

DeferScope::DeferScope(bool on) : before_(std::exchange(scope_open, on && enabled)) {}
DeferScope::~DeferScope() {
  bool outermost = scope_open && !before_;
  scope_open = before_;
  if (!outermost) return;
  try {
    settle([](const Deferred& work) { return !work.lasting(); });
  } catch (...) {  // who reads it will try again and see the error
  }
}

bool may_put_off(const Array& out) {
  return scope_open && !shapes_only() && out.numel() >= kLeast && out.storage->use_count() == 1 &&
         out.bytes() == out.storage->bytes();
}

void put_off(Array& out, Ref<Deferred> work) {
  forget_dropped();
  out.storage->put_off(std::move(work));
  waiting.push_back(out.storage);
}

void put_off_or_compute(Array& out, Ref<Deferred> work) {
  if (may_put_off(out)) put_off(out, std::move(work));
  else work->compute_into(out.storage);
}

void settle_deferred() {
  settle([](const Deferred&) { return true; });
}

bool set_deferral(bool on) { return enabled.exchange(on); }

}  // namespace espalier
