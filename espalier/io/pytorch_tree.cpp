#include <espalier/core/error.h>
#include <espalier/io/pytorch.h>

namespace espalier::io {
namespace {

using Kind = Value::Kind;

// Values that several others share become several, so the number of all is limited.
class TreeMaker {
 public:
  TreeMaker(const std::vector<StoredTensor>& tensors, size_t limit) : tensors_(tensors), left_(limit) {}

  Tree make(const Value& v) {
    require<FileError>(left_-- > 0, "its values are shared so often that they are more than its bytes");
    switch (v.kind) {
      case Kind::boolean: return v.boolean;
      case Kind::integer: return v.integer;
      case Kind::real: return v.real;
      case Kind::large:
      case Kind::text:
      case Kind::bytes:
      case Kind::global: return v.text();
      case Kind::list:
      case Kind::set: return Tree::list(items(v));
      case Kind::tuple: return Tree::tuple(items(v));
      case Kind::dict: return dict(v);
      case Kind::object: return v.state().is(Kind::none) ? Tree::tuple(items(v)) : make(v.state());
      case Kind::tensor: return tensors_[static_cast<size_t>(v.index())];
      default: return {};
    }
  }

 private:
  std::vector<Tree> items(const Value& v) {
    std::vector<Tree> out;
    for (const Value& item : v.items()) out.push_back(make(item));
    return out;
  }

  // Entries with other keys than texts and integers are left out.
  Tree dict(const Value& v) {
    std::vector<Tree::Entry> entries;
    for (size_t i = 0; i + 1 < v.items().size(); i += 2) {
      const Value& key = v.items()[i];
      if (key.is(Kind::text)) entries.emplace_back(key.text(), make(v.items()[i + 1]));
      if (key.is(Kind::integer)) entries.emplace_back(key.integer, make(v.items()[i + 1]));
    }
    Tree out = Tree::dict(std::move(entries));
    read_versions(v.state(), out);
    return out;
  }

  // {"_metadata": {path: {"version": n}}}
  static void read_versions(const Value& state, Tree& out) {
    const Value* metadata = item(state, "_metadata");
    if (!metadata || !metadata->is(Kind::dict)) return;
    out.is_ordered = true;
    for (size_t i = 0; i + 1 < metadata->items().size(); i += 2) {
      const Value &path = metadata->items()[i], *version = item(metadata->items()[i + 1], "version");
      if (!path.is(Kind::text) || !version || !version->is(Kind::integer)) continue;
      out.versions.emplace_back(path.text(), static_cast<int>(version->integer));
    }
  }

  static const Value* item(const Value& dict, std::string_view key) {
    if (!dict.is(Kind::dict)) return nullptr;
    for (size_t i = 0; i + 1 < dict.items().size(); i += 2) {
      if (dict.items()[i].is(Kind::text) && dict.items()[i].text() == key) return &dict.items()[i + 1];
    }
    return nullptr;
  }

  const std::vector<StoredTensor>& tensors_;
  size_t left_;
};

}  // namespace

Tree TorchFile::tree() const { return TreeMaker(numbered_, bytes_ + 65536).make(root_); }

}  // namespace espalier::io
