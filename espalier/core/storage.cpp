#include <espalier/core/storage.h>

#include <atomic>

#include <espalier/core/allocator.h>
#include <espalier/core/deferred.h>

namespace espalier {
namespace {
thread_local bool shapes_only_now = false;
}

ShapesOnly::ShapesOnly() : before_(shapes_only_now) { shapes_only_now = true; }
ShapesOnly::~ShapesOnly() { shapes_only_now = before_; }
bool shapes_only() { return shapes_only_now; }

Storage::Storage(void* data, int64_t bytes, Owner owner)
    : data_(data), bytes_(bytes), owner_(std::move(owner)), exposed_(owner_ != nullptr) {}

Ref<Storage> Storage::allocate(int64_t bytes) {
  void* data = bytes == 0 || shapes_only() ? nullptr : espalier::allocate(static_cast<size_t>(bytes));
  return Ref<Storage>::first(new Storage(data, bytes, nullptr));
}

Ref<Storage> Storage::borrow(void* data, int64_t bytes, Owner owner) {
  if (!owner) owner = Owner(data);
  return Ref<Storage>(new Storage(data, bytes, std::move(owner)));
}

void Storage::put_off(Ref<Deferred> work) {
  espalier::deallocate(std::exchange(data_, nullptr), static_cast<size_t>(bytes_));
  work_ = std::move(work);
  std::atomic_ref(state_.value()).store(kWaiting, std::memory_order_release);
}

bool Storage::take() const {
  std::atomic_ref now(state_.value());
  for (;;) {
    State state = kWaiting;
    if (now.compare_exchange_strong(state, kBusy, std::memory_order_acquire)) return true;
    if (state == kReady) return false;
    now.wait(kBusy, std::memory_order_acquire);
  }
}

void Storage::leave(State state) const {
  std::atomic_ref now(state_.value());
  now.store(state, std::memory_order_release);
  now.notify_all();
}

void Storage::settle() const {
  if (!take()) return;
  try {
    Ref<Storage> made = work_->reusable();
    if (!made || made->owner_ || made->bytes_ != bytes_) made = allocate(bytes_);
    work_->compute_into(made);
    data_ = std::exchange(made->data_, nullptr);
  } catch (...) {
    leave(kWaiting);
    throw;
  }
  Ref<Deferred> done = std::move(work_);  // let go of after others can go on
  leave(kReady);
}

Ref<Deferred> Storage::deferred() const {
  if (state_.load_acquire() == kReady || !take()) return {};
  Ref<Deferred> work = work_;
  leave(kWaiting);
  return work;
}

Storage::~Storage() {
  if (!owner_) espalier::deallocate(data_, static_cast<size_t>(bytes_));
}

void* Storage::operator new(size_t bytes) { return espalier::allocate(bytes); }
void Storage::operator delete(void* p, size_t bytes) noexcept { espalier::deallocate(p, bytes); }

}  // namespace espalier
