#include <algorithm>
#include <map>
#include <unordered_set>

#include <espalier/core/error.h>
#include <espalier/io/pickle_write.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/quantizer.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Kind = Tree::Kind;

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
    {"qint8", "QInt8Storage"},
    {"quint8", "QUInt8Storage"},
    {"qint32", "QInt32Storage"},
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

// The blocks of all tensors in a tree.
class Blocks {
 public:
  explicit Blocks(const Tree& tree) { visit(tree); }
  const Block& of(const StoredTensor& t) const { return blocks_[places_.at(&t)]; }
  const std::vector<Block>& all() const { return blocks_; }

 private:
  void visit(const Tree& tree) {
    switch (tree.kind()) {
      case Kind::tensor: return add(tree.tensor());
      case Kind::list:
      case Kind::tuple:
        for (const Tree& item : tree.items()) visit(item);
        return;
      case Kind::dict:
        for (const auto& [key, item] : tree.entries()) visit(item);
        return;
      default: return;
    }
  }

  void add(const StoredTensor& t) {
    if (places_.count(&t)) return;
    if (t.quantizer && t.quantizer->axis) add(t.quantizer->scales), add(t.quantizer->zero_points);
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

std::string tensor(const StoredTensor& t, const Blocks& blocks);

std::string quantizer(const Quantizer& q, const Blocks& blocks) {
  if (!q.axis) {
    return pickle::tuple(pickle::global("torch", "per_tensor_affine") + pickle::real(q.scale) +
                         pickle::integer(q.zero_point));
  }
  return pickle::tuple(pickle::global("torch", "per_channel_affine") + tensor(q.scales, blocks) +
                       tensor(q.zero_points, blocks) + pickle::integer(*q.axis));
}

std::string tensor(const StoredTensor& t, const Blocks& blocks) {
  const Block& block = blocks.of(t);
  const StorageName* known = storage_name(*t.type);
  std::string cls =
      known ? pickle::global("torch", known->name) : pickle::global("torch.storage", "UntypedStorage");
  int64_t count = (block.end - block.begin) * (known ? 1 : block.itemsize());
  std::string storage = pickle::tuple(pickle::text("storage") + cls + pickle::text(block.key) +
                                      pickle::text("cpu") + pickle::integer(count)) +
                        "Q";
  int64_t offset = block.begin == block.end ? 0 : t.offset - block.begin;
  std::string args =
      concat(storage, pickle::integer(offset), pickle::integers(t.shape), pickle::integers(t.strides),
             t.quantizer ? quantizer(*t.quantizer, blocks) : "", pickle::kFalse, pickle::kOrderedDict);
  if (!known) args += pickle::global("torch", t.type->name);
  const char* maker = t.quantizer ? "_rebuild_qtensor" : known ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3";
  return pickle::global("torch._utils", maker) + pickle::tuple(args) + "R";
}

std::string metadata(const ModuleVersions& versions) {
  std::string items;
  for (const auto& [path, version] : versions) {
    items += pickle::text(path) + pickle::dict(pickle::text("version") + pickle::integer(version));
  }
  return pickle::dict(pickle::text("_metadata") + pickle::dict(items, pickle::kOrderedDict));
}

class Pickler {
 public:
  explicit Pickler(const Blocks& blocks) : blocks_(blocks) {}

  std::string value(const Tree& v) const {
    switch (v.kind()) {
      case Kind::none: return std::string(pickle::kNone);
      case Kind::boolean: return std::string(v.boolean() ? pickle::kTrue : pickle::kFalse);
      case Kind::integer: return pickle::integer(v.integer());
      case Kind::real: return pickle::real(v.number());
      case Kind::text: return pickle::text(v.text());
      case Kind::tensor: return tensor(v.tensor(), blocks_);
      case Kind::list: return pickle::list(items(v));
      case Kind::tuple: return pickle::tuple(items(v));
      default: return dict(v);
    }
  }

 private:
  std::string items(const Tree& v) const {
    std::string out;
    for (const Tree& item : v.items()) out += value(item);
    return out;
  }

  std::string dict(const Tree& v) const {
    std::string out;
    for (const auto& [key, item] : v.entries()) {
      out += (key.is_text ? pickle::text(key.text) : pickle::integer(key.number)) + value(item);
    }
    if (!v.is_ordered) return pickle::dict(out);
    out = pickle::dict(out, pickle::kOrderedDict);
    return v.versions.empty() ? out : out + metadata(v.versions) + "b";
  }

  const Blocks& blocks_;
};

void check(const StoredTensor& t) {
  bool whole = t.type->bits % 8 == 0 && t.type->name.starts_with('q') == (t.quantizer != nullptr);
  require<DTypeError>(whole, "tensor '", printable(t.name), "' is of type ", t.type->name,
                      ", which can't be written; convert it before");
}

}  // namespace

bool has_pytorch_name(std::string_view path) {
  return std::ranges::any_of(kExtensions, [&](std::string_view end) { return path.ends_with(end); });
}

void write_pytorch(const std::string& path, const Tree& tree) {
  Blocks blocks(tree);
  for (const Block& b : blocks.all()) check(*b.first);
  AtomicFile file(path);
  ZipWriter zip(file);
  zip.add("archive/data.pkl", concat(pickle::kBegin, Pickler(blocks).value(tree), pickle::kEnd));
  zip.add("archive/byteorder", std::string_view("little"));
  for (const Block& b : blocks.all()) zip.add("archive/data/" + b.key, b.bytes());
  zip.add("archive/version", std::string_view("3\n"));
  zip.finish();
  file.commit();
}

void write_pytorch(const std::string& path, const std::vector<StoredTensor>& tensors,
                   const ModuleVersions& versions) {
  std::unordered_set<std::string_view> names;
  std::vector<Tree::Entry> entries;
  for (const StoredTensor& t : tensors) {
    require<ValueError>(names.insert(t.name).second, "there are two tensors '", printable(t.name),
                        "'; rename one");
    entries.emplace_back(t.name, t);
  }
  Tree state = Tree::dict(std::move(entries));
  state.is_ordered = true;
  state.versions = versions;
  write_pytorch(path, state);
}

void write_pytorch(const std::string& path, const std::vector<NamedArray>& arrays,
                   const ModuleVersions& versions) {
  std::vector<StoredTensor> tensors;
  for (const auto& [name, array] : arrays) tensors.push_back(stored(name, array));
  write_pytorch(path, tensors, versions);
}

}  // namespace espalier::io
