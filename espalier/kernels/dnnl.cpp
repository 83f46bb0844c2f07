#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/core/workers.h>
#include <espalier/kernels/dnnl.h>
#include <espalier/kernels/packed.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

namespace espalier::kernels::onednn {
namespace {

// Memory for one run, from the caching allocator.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : bytes_(bytes), data_(bytes ? allocate(bytes) : nullptr) {}
  ~Scratch() {
    if (data_) deallocate(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* data() const { return data_; }

 private:
  size_t bytes_;
  void* data_;
};

struct KeyHash {
  size_t operator()(const Key& key) const { return key.hash(); }
};

class Cache {
 public:
  using Value = std::shared_ptr<const void>;

  Value find(const Key& key) {
    std::lock_guard lock(mutex_);
    auto at = places_.find(key);
    if (at == places_.end()) return nullptr;
    used_.splice(used_.begin(), used_, at->second);
    return at->second->second;
  }

  void keep(const Key& key, const Value& value) {
    std::lock_guard lock(mutex_);
    if (places_.count(key)) return;
    used_.emplace_front(key, value);
    places_.emplace(key, used_.begin());
    if (used_.size() <= kMost) return;
    places_.erase(used_.back().first);
    used_.pop_back();
  }

 private:
  static constexpr size_t kMost = 1000;
  std::mutex mutex_;
  std::list<std::pair<Key, Value>> used_;  // the latest first
  std::unordered_map<Key, std::list<std::pair<Key, Value>>::iterator, KeyHash> places_;
};

// Never destroyed, so that other static objects may compute while the program ends.
Cache& cache() {
  static auto& cache = *new Cache;
  return cache;
}

dnnl::memory::dims dims_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

}  // namespace

const dnnl::engine& engine() {
  static const auto& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory::data_type type_of(DType dtype) {
  return dtype == DType::bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

dnnl::memory::desc describe(const Shape& shape, const Strides& strides, DType dtype) {
  return {dims_of(shape), type_of(dtype), dims_of(strides)};
}

dnnl::memory::desc any_order(const Shape& shape, DType dtype) {
  return {dims_of(shape), type_of(dtype), dnnl::memory::format_tag::any};
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

dnnl::primitive_attr attributes_with_relu() {
  dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
  after.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
#else
  after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
#endif
  dnnl::primitive_attr attr = attributes();
  attr.set_post_ops(after);
  return attr;
}

void Executable::run(std::initializer_list<Operand> operands) const {
  thread_local dnnl::stream stream(engine());
  Scratch scratch(scratchpad_.get_size());
  std::unordered_map<int, dnnl::memory> arguments;
  for (const Operand& o : operands) arguments.emplace(o.role, dnnl::memory(o.desc, engine(), o.data));
  if (scratch.data())
    arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(scratchpad_, engine(), scratch.data()));
  primitive_.execute(stream, arguments);
  stream.wait();
  if (get_num_threads() > 1) detail::note_openmp();
}

int64_t packing_order(const dnnl::memory::desc& desc) {
  static std::mutex mutex;
  static auto& known = *new std::vector<dnnl::memory::desc>;
  std::lock_guard lock(mutex);
  auto at = std::find(known.begin(), known.end(), desc);
  if (at == known.end()) at = known.insert(at, desc);
  return kPackedOthers + (at - known.begin());
}

Executable make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  dnnl::reorder::primitive_desc d(engine(), from, engine(), to, attributes());
  return {dnnl::reorder(d), d};
}

Key::Key(std::initializer_list<int64_t> numbers) {
  numbers_.reserve(48);
  numbers_.push_back(get_num_threads());
  numbers_.insert(numbers_.end(), numbers);
}

Key& Key::add(const Array& a) {
  numbers_.push_back(static_cast<int64_t>(a.dtype));
  numbers_.push_back(a.rank());
  numbers_.insert(numbers_.end(), a.shape.begin(), a.shape.end());
  numbers_.insert(numbers_.end(), a.strides.begin(), a.strides.end());
  return *this;
}

size_t Key::hash() const {
  uint64_t h = 0xcbf29ce484222325;
  for (int64_t n : numbers_) h = (h ^ static_cast<uint64_t>(n)) * 0x9e3779b97f4a7c15, h ^= h >> 32;
  return h;
}

std::shared_ptr<const void> find_or_make(const Key& key,
                                         const std::function<std::shared_ptr<const void>()>& make) {
  if (auto found = cache().find(key)) return found;
  auto made = make();
  cache().keep(key, made);
  return made;
}

}  // namespace espalier::kernels::onednn
