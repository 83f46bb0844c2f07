#include <algorithm>
#include <unordered_set>

#include <espalier/core/error.h>
#include <espalier/io/byte_order.h>
#include <espalier/io/byte_reader.h>
#include <espalier/io/pickle.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/pytorch_rules.h>
#include <espalier/io/quantizer.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Kind = Value::Kind;
using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // of the format before 1.6
constexpr std::string_view kMagicDigits = "L119547037146038801333356L";          // the same in protocol 0

bool is_pickle(Bytes file) {
  return as_text(file).starts_with(kMagicDigits) || (file.size() > 1 && file[0] == std::byte{0x80});
}

// What the first versions of PyTorch wrote, of members "storages", "tensors" and "pickle".
bool is_tar(Bytes file) { return file.size() > 262 && as_text(file).substr(257, 5) == "ustar"; }

// Lists the tensors of a tree with the names that lead to them. Long keys that are shared by many could make
// long names of few bytes, and one tensor many entries, so both are limited.
class TensorWalk {
 public:
  using Found = std::vector<std::pair<std::string, Value>>;

  explicit TensorWalk(size_t file_bytes) : left_(16 * file_bytes + 65536), most_(file_bytes / 64 + 65536) {}

  Found walk(const Value& root) {
    visit(root, "");
    return std::move(found_);
  }

 private:
  void visit(const Value& v, const std::string& name) {
    switch (v.kind) {
      case Kind::tensor:
        require<FileError>(found_.size() < most_, "its tensors are shared so often that they are more than ",
                           most_);
        found_.emplace_back(name, v);
        return;
      case Kind::dict: return visit_dict(v, name);
      case Kind::list:
      case Kind::tuple:
      case Kind::set:
        for (size_t i = 0; i < v.items().size(); ++i) {
          if (v.items()[i].is_node()) visit_named(v.items()[i], concat(name, "[", i, "]"));
        }
        return;
      case Kind::object:
        return v.state().is(Kind::dict) ? visit_dict(v.state(), name, true) : visit(v.state(), name);
      default: return;
    }
  }

  void visit_dict(const Value& v, const std::string& name, bool of_object = false) {
    for (size_t i = 0; i + 1 < v.items().size(); i += 2) {
      const Value& key = v.items()[i];
      if (of_object && is_module_part(key)) visit(v.items()[i + 1], name);
      else visit_item(v.items()[i + 1], name, key);
    }
  }

  void visit_item(const Value& v, const std::string& name, const Value& key) {
    if (v.is_node()) visit_named(v, name.empty() ? key_text(key) : concat(name, ".", key_text(key)));
  }

  void visit_named(const Value& v, const std::string& name) {
    require<FileError>(name.size() <= left_, "the names in it are longer than its size allows");
    left_ -= name.size();
    visit(v, name);
  }

  size_t left_;  // characters of names
  size_t most_;  // tensors; a description of one takes more bytes
  Found found_;
};

}  // namespace

// Fills a TorchFile.
class TorchReader {
 public:
  TorchReader(TorchFile& out, MappedFile file) : out_(out), file_(std::move(file)) {
    require<FileError>(!is_tar(file_.bytes),
                       "it is a tar archive; unpack it, or, if PyTorch 0.1 saved it, load it in Python with "
                       "weights_only=False (where you trust it) and save it anew");
    out_.arena_ = std::make_shared<ValueArena>();
    if (is_zip(file_.bytes)) read_zip();
    else read_pickles();
    for (const std::string& cls : rules_.modules()) {
      out_.remarks_.push_back(concat("it holds a module of the class ", printable(cls),
                                     ", whose package Python runs when it opens the file"));
    }
    name_tensors();
  }

 private:
  // The folder of all entries is that of the first one.
  void read_zip() {
    ZipFile zip(file_.bytes);
    require<FileError>(!zip.entries().empty(), "the archive is empty");
    const std::string& first = zip.entries()[0].name;
    std::string folder = first.substr(0, first.find('/')) + "/";
    const ZipEntry* pickle = zip.find(folder + "data.pkl");
    require<FileError>(pickle, "it is an archive without ", printable(folder),
                       "data.pkl, not one of PyTorch's");
    out_.format_ = zip.find(folder + "constants.pkl") ? "torchscript" : "pytorch";
    bool big = is_big_endian(zip, folder);
    std::string buffer;
    ByteReader bytes(zip.read(*pickle, buffer));
    out_.root_ = read_pickle(bytes, *out_.arena_, rules_);
    require<FileError>(bytes.left() == 0, "there are ", bytes.left(), " bytes behind the end of its pickle");
    auto types = types_of_storages();
    for (const TorchStorage& s : rules_.storages()) {
      const ElementType* type = types[storages_.size()];
      storages_.push_back(read_record(zip, folder, s, big ? type : nullptr));
    }
  }

  static bool is_big_endian(const ZipFile& zip, const std::string& folder) {
    const ZipEntry* order = zip.find(folder + "byteorder");
    if (!order) return false;
    std::string buffer;
    std::string_view text = as_text(zip.read(*order, buffer));
    require<FileError>(text == "little" || text == "big", "its order of bytes is '", printable(text),
                       "', which is not known");
    return text == "big";
  }

  // What each storage holds; of those that count bytes the tensors say it.
  std::vector<const ElementType*> types_of_storages() const {
    std::vector<const ElementType*> out;
    for (const TorchStorage& s : rules_.storages()) out.push_back(s.type);
    for (const TorchTensor& t : rules_.tensors()) {
      if (!out[t.storage]) out[t.storage] = t.type;
    }
    return out;
  }

  // `turned` is the type of numbers whose bytes stand in the other order.
  Ref<Storage> read_record(const ZipFile& zip, const std::string& folder, const TorchStorage& s,
                           const ElementType* turned) {
    const ZipEntry* entry = zip.find(concat(folder, "data/", s.key));
    require<FileError>(entry, "the storage '", printable(s.key), "' is missing");
    require<FileError>(entry->size == s.bytes, "the storage '", printable(s.key), "' should have ", s.bytes,
                       " bytes, it has ", entry->size);
    auto buffer = std::make_shared<std::string>();
    Bytes bytes = zip.read(*entry, *buffer);
    if (turned) {
      buffer = bytes_turned(bytes, *turned);
      return borrow(std::as_bytes(std::span(*buffer)), buffer);
    }
    return borrow(bytes, entry->deflated ? Owner(buffer) : file_.owner);
  }

  static Ref<Storage> borrow(Bytes bytes, Owner owner) {
    return Storage::borrow(const_cast<std::byte*>(bytes.data()), static_cast<int64_t>(bytes.size()),
                           std::move(owner));
  }

  // A number, a version, facts about the machine, the object, the keys of its storages; then their elements.
  void read_pickles() {
    ByteReader bytes(file_.bytes);
    Value first = read_pickle(bytes, *out_.arena_, rules_);
    if (!first.is(Kind::large) || first.text() != kMagic) {
      require<FileError>(bytes.left() == 0, "there are ", bytes.left(),
                         " bytes behind the end of its pickle");
      require<FileError>(rules_.storages().empty(), "it is a pickle without its storages");
      out_.format_ = "pickle";
      out_.root_ = first;
      return;
    }
    out_.format_ = "pytorch-legacy";
    PlainRules plain;
    Value version = read_pickle(bytes, *out_.arena_, plain);
    require<FileError>(version.is(Kind::integer) && version.integer == 1001,
                       "it is of a version that is not known");
    read_pickle(bytes, *out_.arena_, plain);  // of its machine; the data are little-endian on any
    out_.root_ = read_pickle(bytes, *out_.arena_, rules_);
    read_legacy_storages(bytes, read_pickle(bytes, *out_.arena_, plain));
    if (bytes.left() > 0)
      out_.remarks_.push_back(concat("there are ", bytes.left(), " bytes behind the last tensor"));
  }

  void read_legacy_storages(ByteReader& bytes, const Value& keys) {
    const auto& wanted = rules_.storages();
    require<FileError>(keys.is(Kind::list) && keys.items().size() == wanted.size(),
                       "it holds other storages than its tensors need");
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = 0; i < wanted.size(); ++i) places.emplace(wanted[i].key, i);
    storages_.resize(wanted.size());
    for (const Value& key : keys.items()) {
      auto found = key.is(Kind::text) ? places.find(key.text()) : places.end();
      require<FileError>(found != places.end(), "it holds a storage twice, or one that no tensor needs");
      const TorchStorage& s = wanted[found->second];
      int64_t size = s.type ? s.type->bits / 8 : 1, count = bytes.number<int64_t>();
      require<FileError>(count == s.bytes / size, "the storage '", printable(s.key), "' should have ",
                         s.bytes / size, " elements, it has ", count);
      storages_[found->second] = borrow(bytes.take(static_cast<uint64_t>(s.bytes)), file_.owner);
      places.erase(found);
    }
  }

  void name_tensors() {
    size_t file_bytes = file_.bytes.size();
    std::unordered_set<std::string> names;
    left_ = expansion_limit(file_bytes);
    used_.resize(storages_.size());
    for (const TorchTensor& t : rules_.tensors()) {
      out_.numbered_.push_back(
          {"", t.type, t.shape, t.strides, storages_[t.storage], t.offset, quantizer(t.quantizer)});
    }
    out_.bytes_ = file_bytes;
    for (auto& [name, v] : TensorWalk(file_bytes).walk(out_.root_)) {
      const TorchTensor& t = rules_.tensors()[static_cast<size_t>(v.index())];
      require<FileError>(names.insert(name).second, "two of its tensors would have the name '",
                         printable(name), "'");
      StoredTensor tensor = out_.numbered_[static_cast<size_t>(v.index())];
      tensor.name = name;
      charge(t);
      if (t.quantizer && t.quantizer->axis) {
        charge(rules_.tensors()[t.quantizer->scales]);
        charge(rules_.tensors()[t.quantizer->zero_points]);
      }
      out_.tensors_.push_back(std::move(tensor));
    }
  }

  // What a pickle says of a tensor made before those that are numbered so far.
  Shared<const Quantizer> quantizer(const std::optional<TorchQuantizer>& q) const {
    if (!q) return nullptr;
    Quantizer out{q->scale, q->zero_point, q->axis, {}, {}};
    if (q->axis) out.scales = out_.numbered_[q->scales], out.zero_points = out_.numbered_[q->zero_points];
    return Shared<const Quantizer>::make(std::move(out));
  }

  // Counts what reading a tensor takes beyond its storage.
  void charge(const TorchTensor& t) {
    const StoredTensor& tensor = out_.numbered_[static_cast<size_t>(&t - rules_.tensors().data())];
    used_[t.storage] += tensor.bytes();
    left_ -= std::clamp<int64_t>(used_[t.storage] - rules_.storages()[t.storage].bytes, 0, tensor.bytes());
    require<FileError>(left_ >= 0, "its tensors share and expand what they hold to more than ",
                       expansion_limit(out_.bytes_), " bytes");
  }

  TorchFile& out_;
  MappedFile file_;
  TorchRules rules_;
  std::vector<Ref<Storage>> storages_;
  std::vector<int64_t> used_;  // bytes of each storage that its tensors take
  int64_t left_ = 0;           // bytes that they may take beyond
};

bool is_pytorch(Bytes file) { return is_zip(file) || is_pickle(file) || is_tar(file); }

TorchFile::TorchFile(MappedFile file) { TorchReader(*this, std::move(file)); }

TorchFile::TorchFile(const std::string& path) {
  MappedFile file = map_file(path);
  try {
    TorchReader(*this, std::move(file));
  } catch (FileError& e) {
    e.prepend(concat("can't read '", path, "': "));
    throw;
  }
}

}  // namespace espalier::io
