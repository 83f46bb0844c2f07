#include <espalier/core/storage.h>

#include <espalier/core/allocator.h>

namespace espalier {
namespace {
thread_local bool shapes_only_now = false;
}

ShapesOnly::ShapesOnly() : before_(shapes_only_now) { shapes_only_now = true; }
ShapesOnly::~ShapesOnly() { shapes_only_now = before_; }
bool shapes_only() { return shapes_only_now; }

Ref<Storage> Storage::allocate(int64_t bytes) {
  void* data = bytes == 0 || shapes_only() ? nullptr : espalier::allocate(static_cast<size_t>(bytes));
  return Ref<Storage>(new Storage(data, bytes, nullptr));
}

Ref<Storage> Storage::borrow(void* data, int64_t bytes, std::shared_ptr<void> owner) {
  if (!owner) owner = std::shared_ptr<void>(data, [](void*) {});
  return Ref<Storage>(new Storage(data, bytes, std::move(owner)));
}

Storage::~Storage() {
  if (!owner_) espalier::deallocate(data_, static_cast<size_t>(bytes_));
}

void* Storage::operator new(size_t bytes) { return espalier::allocate(bytes); }
void Storage::operator delete(void* p, size_t bytes) noexcept { espalier::deallocate(p, bytes); }

}  // namespace espalier
