#pragma once

#include <espalier/core/array.h>

namespace espalier {

// Work put off: the values of an array, computed when somebody first reads them. What comes next may know how
// to do both in one pass over memory (a ReLU behind a convolution); then the values are never made. Nobody
// can tell, except by the time it takes: whatever is about to write in place settles what this thread has put
// off.
class Deferred : public RefCounted<Deferred> {
 public:
  // `target`: the array that is put off, which fills its storage. `lasting`: outlives the scope.
  explicit Deferred(const Array& target, bool lasting = false);
  virtual ~Deferred() = default;

  // Fills memory that nobody has read yet.
  void compute_into(Ref<Storage> memory) const;
  // A storage that the work reads last and nobody else will: its memory may hold the result. Null: there is
  // none.
  virtual Ref<Storage> reusable() const { return {}; }
  bool lasting() const { return lasting_; }
  // Whether `a` is the whole array that is put off, in its order.
  bool is_all(const Array& a) const;

 protected:
  virtual void compute(Array& out) const = 0;

 private:
  Array target_;  // without a storage
  bool lasting_;
};

// An array that work put off reads. Throws ValueError where another thread has written it meanwhile.
class Kept {
 public:
  explicit Kept(const Array& a) : array_(a), version_(a.storage->version()) {}
  const Array& operator*() const;
  const Array* operator->() const { return &**this; }

 private:
  Array array_;
  uint64_t version_;
};

// The work of kind W that will compute `a`, all of it; null where there is none.
template <class W>
Ref<W> work_behind(const Array& a) {
  Ref<Deferred> work = a.storage->deferred();
  return Ref<W>(work && work->is_all(a) ? dynamic_cast<W*>(work.get()) : nullptr);
}

// While one lives, this thread's kernels may put work off. The end of the outermost computes what is still
// waited for, other than lasting work.
class DeferScope {
 public:
  explicit DeferScope(bool on = true);
  ~DeferScope();
  DeferScope(const DeferScope&) = delete;
  DeferScope& operator=(const DeferScope&) = delete;

 private:
  bool before_;
};

// Whether a kernel may put off `out`, an array that nobody else has seen yet and that is large enough to gain
// from it.
bool may_put_off(const Array& out);
void put_off(Array& out, Ref<Deferred> work);
// The work of `out`: put off where that may be, else done.
void put_off_or_compute(Array& out, Ref<Deferred> work);
// Computes all that this thread has put off. Before anything is written in place.
void settle_deferred();

// Off for tests and to hunt bugs: everything is computed at once. Returns what was set before.
bool set_deferral(bool on);

}  // namespace espalier
