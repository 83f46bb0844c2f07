#include <espalier/data/loader.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include <espalier/core/error.h>
#include <espalier/core/threads.h>

namespace espalier::data {
namespace {

constexpr size_t kAhead = 2;  // batches that are prepared ahead, for each worker

// Spreads what two numbers differ in over the 32 bits that a generator is seeded with (the finish of
// SplitMix64).
uint64_t mixed(int64_t seed, int64_t index) {
  uint64_t z = static_cast<uint64_t>(seed) + 0x9e3779b97f4a7c15u * (static_cast<uint64_t>(index) + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void write_floats(const Array& image, float* to) {
  int64_t n = image.numel();
  if (image.dtype == DType::float32) {
    std::copy_n(image.data<float>(), n, to);
    return;
  }
  const auto* from = image.data<uint8_t>();
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
}

void check_result(const Array& image, const Shape& like) {
  require<ShapeError>(image.shape == like, "loader: the transforms made images of different shapes, ", like,
                      " and ", image.shape, "; crop or resize them to one");
  require<ShapeError>(image.is_contiguous(), "loader: the transforms must give images in row-major order");
  require<DTypeError>(image.dtype == DType::uint8 || image.dtype == DType::float32,
                      "loader: the transforms must give uint8 or float32, got ", image.dtype);
}

}  // namespace

// One pass through the data. Workers take batch numbers in order, as long as a slot is free, and put what
// they made into the slot of that number; the consumer empties the slots in order.
class DataLoader::Epoch {
 public:
  Epoch(Shared<const Source> source, int64_t batches, int64_t seed, std::vector<int64_t> order)
      : source_(std::move(source)), batches_(batches), seed_(seed), order_(std::move(order)) {
    auto workers = static_cast<size_t>(std::min<int64_t>(source_->options.workers, batches));
    slots_.resize(workers * kAhead);
    start(workers);
  }

  ~Epoch() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    slot_is_free_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  // False at the end.
  bool next(Batch& batch) {
    if (given_ == batches_) return false;
    if (workers_.empty()) {
      batch = make(given_++);
      return true;
    }
    Slot slot;
    {
      std::unique_lock lock(mutex_);
      Slot& due = slot_of(given_);
      slot_is_full_.wait(lock, [&] { return due.full; });
      slot = std::exchange(due, {});
      ++given_;
    }
    slot_is_free_.notify_one();
    if (slot.error) std::rethrow_exception(slot.error);
    batch = std::move(slot.batch);
    return true;
  }

 private:
  struct Slot {
    bool full = false;
    Batch batch;
    std::exception_ptr error;
  };

  // Where the system gives no further thread, fewer do the same, or the consumer.
  void start(size_t workers) {
    try {
      for (size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
  }

  Slot& slot_of(int64_t number) { return slots_[static_cast<size_t>(number) % slots_.size()]; }

  bool may_take() const { return taken_ < batches_ && taken_ < given_ + static_cast<int64_t>(slots_.size()); }

  void work() {
    SerialScope serial;
    std::unique_lock lock(mutex_);
    while (true) {
      slot_is_free_.wait(lock, [&] { return stop_ || taken_ == batches_ || may_take(); });
      if (stop_ || taken_ == batches_) return;
      int64_t number = taken_++;
      if (taken_ == batches_) slot_is_free_.notify_all();
      lock.unlock();
      Slot made = try_make(number);
      lock.lock();
      slot_of(number) = std::move(made);
      slot_is_full_.notify_one();
    }
  }

  Slot try_make(int64_t number) const {
    try {
      return {true, make(number), nullptr};
    } catch (...) {
      return {true, {}, std::current_exception()};
    }
  }

  Batch make(int64_t number) const {
    int64_t size = source_->options.batch_size, first = number * size;
    int64_t count = std::min(size, source_->dataset.size() - first);
    Array x, y = Array::empty({count}, DType::int64);
    Generator random;
    for (int64_t i = 0; i < count; ++i) {
      int64_t index = order_[static_cast<size_t>(first + i)];
      Array image = transformed(index, random);
      if (i == 0) x = batch_of(count, image.shape);
      Shape shape = x.shape;
      shape.erase(0);
      check_result(image, shape);
      if (image.numel() > 0) write_floats(image, x.data<float>() + i * image.numel());
      y.data<int64_t>()[i] = source_->dataset.labels[static_cast<size_t>(index)];
    }
    return {Tensor(std::move(x)), Tensor(std::move(y))};
  }

  static Array batch_of(int64_t count, Shape shape) {
    shape.insert(0, count);
    return Array::empty(shape, DType::float32);
  }

  Array transformed(int64_t index, Generator& random) const {
    Array image = source_->dataset.image(index);
    const auto& transforms = source_->options.transform;
    if (transforms.empty()) return image;
    random.manual_seed(mixed(seed_, index));
    return apply(transforms, std::move(image), random);
  }

  const Shared<const Source> source_;
  const int64_t batches_, seed_;
  const std::vector<int64_t> order_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable slot_is_free_, slot_is_full_;
  std::vector<Slot> slots_;
  int64_t taken_ = 0, given_ = 0;  // batches that a worker has begun, that the consumer has got
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

DataLoader::Iterator::Iterator(Shared<Epoch> epoch) : epoch_(std::move(epoch)) { ++*this; }

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  batch_ = {};
  if (!epoch_->next(batch_)) epoch_ = nullptr;
  return *this;
}

DataLoader::DataLoader(ImageDataset dataset, LoaderOptions options) {
  dataset.check();
  require<ValueError>(options.batch_size >= 1, "loader: the batch size is ", options.batch_size,
                      ", it must be at least 1");
  require<ValueError>(options.workers >= 0, "loader: there can't be ", options.workers, " workers");
  source_ = Shared<const Source>::make(Source{std::move(dataset), std::move(options)});
}

int64_t DataLoader::size() const {
  int64_t n = dataset().size(), batch = options().batch_size;
  return options().drop_last ? n / batch : (n + batch - 1) / batch;
}

DataLoader::Iterator DataLoader::begin() const {
  int64_t seed = default_generator().random_int64();
  std::vector<int64_t> order(static_cast<size_t>(dataset().size()));
  if (options().shuffle)
    order = Generator(static_cast<uint64_t>(default_generator().random_int64())).randperm(dataset().size());
  else std::iota(order.begin(), order.end(), int64_t{0});
  return Iterator(Shared<Epoch>::make(source_, size(), seed, std::move(order)));
}

}  // namespace espalier::data
