#include <espalier/kernels/packed.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace espalier::kernels {
namespace {

std::atomic<int64_t> kept_bytes{0}, limit{int64_t{2} << 30};
std::mutex mutex;  // of the lists that hang on storages

// What is kept of a storage, or what was asked for once.
struct Entry {
  int64_t order, offset;
  Shape shape;
  Strides strides;
  uint64_t version;
  Array value;  // without a storage until it is asked for again
};

bool asks_for(const Entry& e, const Array& w, int64_t order) {
  return e.order == order && e.offset == w.offset && e.shape == w.shape && e.strides == w.strides;
}

int64_t bytes_of(const Entry& e) { return e.value.storage ? e.value.storage->bytes() : 0; }

struct Entries {
  std::vector<Entry> list;

  ~Entries() {
    forget([](const Entry&) { return true; });
  }
  template <class F>
  void forget(F&& which) {
    std::erase_if(list, [&](const Entry& e) {
      bool gone = which(e);
      if (gone) kept_bytes -= bytes_of(e);
      return gone;
    });
  }
};

// The value of w's entry, which is added where there is none; `again` tells whether there was one.
Array find(const Array& w, int64_t order, uint64_t version, bool& again) {
  std::lock_guard lock(mutex);
  if (!w.storage->kept) w.storage->kept = std::make_shared<Entries>();
  auto& entries = *static_cast<Entries*>(w.storage->kept.get());
  entries.forget([&](const Entry& e) { return e.version != version; });
  for (Entry& e : entries.list) {
    if (asks_for(e, w, order)) return again = true, e.value;
  }
  constexpr size_t kMost = 64;  // views of one storage
  if (entries.list.size() < kMost) entries.list.push_back({order, w.offset, w.shape, w.strides, version, {}});
  return {};
}

void keep(const Array& w, int64_t order, uint64_t version, const Array& value) {
  std::lock_guard lock(mutex);
  for (Entry& e : static_cast<Entries*>(w.storage->kept.get())->list) {
    if (!asks_for(e, w, order) || e.version != version || e.value.storage) continue;
    if (kept_bytes + value.storage->bytes() > limit) return;
    kept_bytes += value.storage->bytes();
    e.value = value;
  }
}

}  // namespace

Array packed(const Array& w, int64_t order, const std::function<Array()>& make, bool at_once) {
  if (w.storage->exposed() || limit == 0) return make();
  uint64_t version = w.storage->version();
  bool again = false;
  Array found = find(w, order, version, again);
  if (found.storage) return found;
  Array made = make();
  if (again || at_once) keep(w, order, version, made);
  return made;
}

int64_t packed_bytes() { return kept_bytes; }
void set_packed_limit(int64_t bytes) { limit = bytes; }

}  // namespace espalier::kernels
