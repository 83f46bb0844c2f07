#pragma once

#include <espalier/core/shared.h>

namespace espalier {

class Deferred;

// A block of bytes that arrays share. Its version counts in-place writes, so that the tape can tell whether
// what it saved has changed.
class Storage : public RefCounted<Storage> {
 public:
  // Own memory, not initialised. Inside a ShapesOnly scope no memory is taken and data() stays null.
  static Ref<Storage> allocate(int64_t bytes);
  // Memory of somebody else's that `owner` keeps alive (a mapped file, a buffer of the user's).
  static Ref<Storage> borrow(void* data, int64_t bytes, Owner owner);
  ~Storage();

  // Computes what was put off (core/deferred.h) first.
  void* data() const {
    if (state_.load_acquire() != kReady) settle();
    return data_;
  }
  int64_t bytes() const { return bytes_; }
  uint64_t version() const { return version_.load(); }
  void bump_version() { version_.fetch_add(1); }

  // Says that somebody has the address and may write without a new version. Borrowed memory is so from the
  // start.
  void expose() { exposed_.store(true); }
  bool exposed() const { return exposed_.load(); }

  // What was computed from the elements and lives as long as they do; kernels/packed.cpp alone uses it.
  Ref<Held> kept;

  // Gives the memory back until somebody reads: then `work` computes it. For a storage that nobody has read.
  void put_off(Ref<Deferred> work);
  // What will compute it; null where the values are there.
  Ref<Deferred> deferred() const;

  static void* operator new(size_t bytes);
  static void operator delete(void* p, size_t bytes) noexcept;

 private:
  enum State : uint8_t { kReady, kWaiting, kBusy };  // kBusy: a thread computes or looks at the work

  Storage(void* data, int64_t bytes, Owner owner);

  bool take() const;  // from kWaiting to kBusy; false once the values are there
  void leave(State state) const;
  void settle() const;

  mutable void* data_;
  int64_t bytes_;
  Atomic<uint64_t> version_{0};
  mutable Atomic<State> state_{kReady};
  mutable Ref<Deferred> work_;
  Owner owner_;
  Atomic<bool> exposed_;
};

// While one lives, this thread runs operations for their shapes alone: results have no memory, kernels do
// nothing, in-place writes leave their target as it is.
class ShapesOnly {
 public:
  ShapesOnly();
  ~ShapesOnly();
  ShapesOnly(const ShapesOnly&) = delete;
  ShapesOnly& operator=(const ShapesOnly&) = delete;

 private:
  bool before_;
};
bool shapes_only();

}  // namespace espalier
