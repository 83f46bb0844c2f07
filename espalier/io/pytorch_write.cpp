#include <algorithm>
#include <map>
#include <unordered_set>

#include <espalier/core/error.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

constexpr std::string_view kExtensions[] = {".pt", ".pth", ".th", ".bin", ".ckpt"};

struct StorageName {
  std::string_view element, name;
};

constexpr StorageName kStorages[] = {
    {"float32", "FloatStorage"},
    {"float64", "DoubleStorage"},
    {"float16", "HalfStorage"},
    {"bfloat16", "BFloat16Storage"},
    {"int64", "LongStorage"},
    {"int32", "IntStorage"},
    {"int16", "ShortStorage"},
    {"int8", "CharStorage"},
    {"uint8", "ByteStorage"},
    {"bool", "BoolStorage"},
    {"complex64", "ComplexFloatStorage"},
    {"complex128", "ComplexDoubleStorage"},
};

// Null for element types whose storages count bytes.
const StorageName* storage_name(const ElementType& type) {
  auto known = std::ranges::find(kStorages, type.name, &StorageName::element);
  return known == std::end(kStorages) ? nullptr : known;
}

// The part of a storage that tensors use, from its first element to behind its last.
struct Block {
  const StoredTensor* first;  // one of its tensors
  std::string key;
  int64_t begin, end;

  int64_t itemsize() const { return first->type->bits / 8; }
  std::span<const std::byte> bytes() const {
    if (begin == end) return {};
    auto* data = static_cast<const std::byte*>(first->storage->data());
    return {data + begin * itemsize(), static_cast<size_t>((end - begin) * itemsize())};
  }
};

class Blocks {
 public:
  explicit Blocks(const std::vector<StoredTensor>& tensors) {
    for (const StoredTensor& t : tensors) add(t);
  }
  const Block& of(const StoredTensor& t) const { return blocks_[places_.at(&t)]; }
  const std::vector<Block>& all() const { return blocks_; }

 private:
  void add(const StoredTensor& t) {
    int64_t begin = t.offset, end = t.offset + (t.shape.numel() > 0);
    for (size_t d = 0; d < t.shape.size() && end > begin; ++d) end += (t.shape[d] - 1) * t.strides[d];
    bool empty = begin == end;
    size_t place = blocks_.size();
    if (!empty) place = known_.try_emplace({t.storage->data(), t.type}, place).first->second;
    if (place == blocks_.size()) blocks_.push_back({&t, concat(place), begin, end});
    Block& block = blocks_[place];
    block.begin = std::min(block.begin, begin);
    block.end = std::max(block.end, end);
    places_[&t] = place;
  }

  std::vector<Block> blocks_;
  std::map<std::pair<void*, const ElementType*>, size_t> known_;
  std::map<const StoredTensor*, size_t> places_;
};

template <class T>
std::string little(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// Instructions of a pickle of protocol 2.
const std::string kOrderedDict = "ccollections\nOrderedDict\n)R";

std::string text(std::string_view s) { return concat("X", little(static_cast<uint32_t>(s.size())), s); }
std::string global(std::string_view module, std::string_view name) {
  return concat("c", module, "\n", name, "\n");
}
std::string tuple(const std::string& items) { return concat("(", items, "t"); }
std::string integer(int64_t i) {
  if (i >= INT32_MIN && i <= INT32_MAX) return "J" + little(static_cast<int32_t>(i));
  return "\x8a\x08" + little(i);
}
std::string integers(const Shape& shape) {
  std::string items;
  for (int64_t i : shape) items += integer(i);
  return tuple(items);
}

std::string tensor(const StoredTensor& t, const Block& block) {
  const StorageName* known = storage_name(*t.type);
  std::string cls = known ? global("torch", known->name) : global("torch.storage", "UntypedStorage");
  int64_t count = (block.end - block.begin) * (known ? 1 : block.itemsize());
  std::string storage = tuple(text("storage") + cls + text(block.key) + text("cpu") + integer(count)) + "Q";
  int64_t offset = block.begin == block.end ? 0 : t.offset - block.begin;
  std::string args =
      storage + integer(offset) + integers(t.shape) + integers(t.strides) + "\x89" + kOrderedDict;
  if (!known) args += global("torch", t.type->name);
  return global("torch._utils", known ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3") + tuple(args) + "R";
}

std::string metadata(const ModuleVersions& versions) {
  std::string out = kOrderedDict + "(";
  for (const auto& [path, version] : versions)
    out += text(path) + "}" + text("version") + integer(version) + "s";
  return "}" + text("_metadata") + out + "us";
}

std::string pickle(const std::vector<StoredTensor>& tensors, const Blocks& blocks,
                   const ModuleVersions& versions) {
  std::string out = "\x80\x02" + kOrderedDict + "(";
  for (const StoredTensor& t : tensors) out += text(t.name) + tensor(t, blocks.of(t));
  out += "u";
  if (!versions.empty()) out += metadata(versions) + "b";
  return out + ".";
}

void check(const std::vector<StoredTensor>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const StoredTensor& t : tensors) {
    require<ValueError>(names.insert(t.name).second, "there are two tensors '", printable(t.name),
                        "'; rename one");
    bool whole = t.type->bits % 8 == 0 && !t.type->name.starts_with('q');
    require<DTypeError>(whole, "tensor '", printable(t.name), "' is of type ", t.type->name,
                        ", which can't be written; convert it before");
  }
}

}  // namespace

bool has_pytorch_name(std::string_view path) {
  return std::ranges::any_of(kExtensions, [&](std::string_view end) { return path.ends_with(end); });
}

void write_pytorch(const std::string& path, const std::vector<StoredTensor>& tensors,
                   const ModuleVersions& versions) {
  check(tensors);
  Blocks blocks(tensors);
  AtomicFile file(path);
  ZipWriter zip(file);
  zip.add("archive/data.pkl", pickle(tensors, blocks, versions));
  zip.add("archive/byteorder", std::string_view("little"));
  for (const Block& b : blocks.all()) zip.add("archive/data/" + b.key, b.bytes());
  zip.add("archive/version", std::string_view("3\n"));
  zip.finish();
  file.commit();
}

void write_pytorch(const std::string& path, const std::vector<NamedArray>& arrays,
                   const ModuleVersions& versions) {
  std::vector<StoredTensor> tensors;
  for (const auto& [name, array] : arrays) tensors.push_back(stored(name, array));
  write_pytorch(path, tensors, versions);
}

}  // namespace espalier::io
