#include <espalier/core/allocator.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include <sys/mman.h>

#include <espalier/core/error.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ESPALIER_CACHE_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ESPALIER_CACHE_BLOCKS 0
#endif
#endif
#ifndef ESPALIER_CACHE_BLOCKS
#define ESPALIER_CACHE_BLOCKS 1
#endif

namespace espalier {
namespace {

constexpr size_t kAlign = 64;
constexpr int kClasses = 4 * 48;  // four size classes between powers of two
constexpr size_t kSmall = 1024;   // up to here a thread keeps blocks of its own, without a lock
constexpr int kSmallClasses = kSmall / kAlign + 1;
constexpr uint8_t kThreadBlocks = 128;  // blocks a thread keeps of one small size

struct Class {
  int index;
  size_t bytes;
};

// The smallest class that holds `bytes`: multiples of 64 up to kSmall, then four steps to each power of two.
Class size_class(size_t bytes) {
  if (bytes <= kSmall) {
    size_t units = (bytes + kAlign - 1) / kAlign;
    return {static_cast<int>(units), units * kAlign};
  }
  int log = std::bit_width(bytes - 1) - 1;
  size_t step = size_t{1} << (log - 2);
  size_t steps = (bytes - (size_t{1} << log) + step - 1) / step;
  return {kSmallClasses + 4 * (log - 10) + static_cast<int>(steps), (size_t{1} << log) + steps * step};
}

// Memory of the system. Large blocks lie in large pages where it has them: a processor looks up the pages of
// a few megabytes only, and waits for each of the others.
void* system_memory(size_t bytes) {
  constexpr size_t kPage = 2 << 20;
  if (bytes < kPage) return std::aligned_alloc(kAlign, bytes);
  void* p = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
#ifdef MADV_HUGEPAGE
  if (p) madvise(p, bytes / kPage * kPage, MADV_HUGEPAGE);
#endif
  return p;
}

class Pool {
 public:
  void* take(size_t bytes) {
    Class c = size_class(bytes);
    std::lock_guard lock(mutex_);
    auto& free = free_[c.index];
    void* p = nullptr;
    if (!free.empty()) {
      p = free.back();
      free.pop_back();
      stats_.cached -= static_cast<int64_t>(c.bytes);
    } else {
      p = from_system(bytes, c.bytes);
    }
    stats_.in_use += static_cast<int64_t>(c.bytes);
    stats_.peak = std::max(stats_.peak, stats_.in_use);
    return p;
  }

  void put(void* p, size_t bytes) noexcept {
    Class c = size_class(bytes);
    std::lock_guard lock(mutex_);
    stats_.in_use -= static_cast<int64_t>(c.bytes);
    if (!ESPALIER_CACHE_BLOCKS) return std::free(p);
    stats_.cached += static_cast<int64_t>(c.bytes);
    free_[c.index].push_back(p);
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak = stats_.in_use;
  }
  void empty() {
    std::lock_guard lock(mutex_);
    drop_cached();
  }
  void set_limit(int64_t bytes) {
    std::lock_guard lock(mutex_);
    limit_ = bytes;
  }

 private:
  void* from_system(size_t asked, size_t bytes) {
    auto over = [&] {
      return limit_ > 0 && stats_.in_use + stats_.cached + static_cast<int64_t>(bytes) > limit_;
    };
    if (over()) drop_cached();
    void* p = over() ? nullptr : system_memory(bytes);
    if (!p && !over()) {
      drop_cached();
      p = system_memory(bytes);
    }
    require<MemoryError>(p != nullptr, "no memory for a tensor of ", asked, " bytes: ", stats_.in_use,
                         " bytes are in use", limit_ > 0 ? concat(", the limit is ", limit_) : std::string());
    ++stats_.requests;
    return p;
  }

  void drop_cached() noexcept {
    for (auto& blocks : free_) {
      for (void* p : blocks) std::free(p);
      blocks.clear();
    }
    stats_.cached = 0;
  }

  std::mutex mutex_;
  std::array<std::vector<void*>, kClasses> free_;
  MemoryStats stats_;
  int64_t limit_ = 0;
};

Pool& pool() {
  static auto* p = new Pool;  // never destroyed: tensors in static objects outlive main
  return *p;
}

// Small blocks of one thread, in lists that run through the blocks themselves. They stay counted as in use
// while the thread keeps them.
struct ThreadBlocks {
  struct Block {
    Block* next;
  };
  enum State : uint8_t { kUnused, kOpen, kClosed };

  void* take(size_t index) {
    Block* b = first[index];
    if (!b) return nullptr;
    first[index] = b->next;
    --count[index];
    return b;
  }
  bool keep(size_t index, void* p) {
    if (state != kOpen && !open()) return false;
    if (count[index] == kThreadBlocks) return false;
    first[index] = new (p) Block{first[index]};
    ++count[index];
    return true;
  }
  bool open();
  void close() {
    state = kClosed;
    for (size_t i = 1; i < kSmallClasses; ++i) {
      while (void* p = take(i)) pool().put(p, i * kAlign);
    }
  }

  std::array<Block*, kSmallClasses> first;
  std::array<uint8_t, kSmallClasses> count;
  State state;
};
constinit thread_local ThreadBlocks thread_blocks{};

// False once the thread ends: what its last objects free goes to the pool.
bool ThreadBlocks::open() {
  struct Closer {
    ~Closer() { thread_blocks.close(); }
  };
  if (state == kUnused) {
    thread_local Closer closer;
    static_cast<void>(&closer);
    state = kOpen;
  }
  return state == kOpen;
}

}  // namespace

MemoryStats memory_stats() { return pool().stats(); }
void reset_peak_memory() { pool().reset_peak(); }
void empty_cache() { pool().empty(); }
void set_memory_limit(int64_t bytes) { pool().set_limit(bytes); }

void* allocate(size_t bytes) {
  if (bytes == 0) bytes = 1;
  require<MemoryError>(bytes < (size_t{1} << 46), "no memory for a tensor of ", bytes, " bytes");
  if (ESPALIER_CACHE_BLOCKS && bytes <= kSmall) {
    if (void* p = thread_blocks.take((bytes + kAlign - 1) / kAlign)) return p;
  }
  return pool().take(bytes);
}

void deallocate(void* p, size_t bytes) noexcept {
  if (!p) return;
  if (bytes == 0) bytes = 1;
  if (ESPALIER_CACHE_BLOCKS && bytes <= kSmall && thread_blocks.keep((bytes + kAlign - 1) / kAlign, p))
    return;
  pool().put(p, bytes);
}

}  // namespace espalier
