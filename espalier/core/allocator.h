#pragma once

#include <cstddef>
#include <cstdint>

// Memory of tensors and of the tape. Freed blocks are kept by size and handed out again, so that a training
// loop asks the system for nothing after its first step. In sanitizer builds every block comes from the
// system.
namespace espalier {

struct MemoryStats {
  int64_t in_use = 0;    // bytes handed out now
  int64_t peak = 0;      // the most that in_use has been
  int64_t cached = 0;    // bytes kept for reuse
  int64_t requests = 0;  // calls that the system had to answer
};

MemoryStats memory_stats();
// Makes `peak` count from what is in use now.
void reset_peak_memory();
// Gives the kept blocks back to the system.
void empty_cache();
// The most bytes that may be in use and kept together; 0 (the default) is no limit. What would go over it
// throws MemoryError after the cache was emptied.
void set_memory_limit(int64_t bytes);

// 64-byte aligned memory for `bytes` (> 0). Throws MemoryError that says how much was asked for.
void* allocate(size_t bytes);
// `bytes` is what was asked of allocate.
void deallocate(void* p, size_t bytes) noexcept;

}  // namespace espalier
