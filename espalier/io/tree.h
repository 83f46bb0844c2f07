#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <espalier/io/stored_tensor.h>

namespace espalier::io {

// The version of each module by its path ("" for the model), which PyTorch keeps in a state_dict to tell how
// old it is.
using ModuleVersions = std::vector<std::pair<std::string, int>>;

// What a checkpoint holds: tensors and plain values in dictionaries and lists, as deep as need be.
//   io::Tree checkpoint{{"epoch", 3}, {"model", model.state_dict()}, {"rates", std::vector{0.1, 0.01}}};
//   checkpoint["epoch"].integer()
// Values are asked for as what they are; anything else is a StateError.
class Tree {
 public:
  enum class Kind { none, boolean, integer, real, text, tensor, list, tuple, dict };
  using Key = std::variant<std::string, int64_t>;
  using Entry = std::pair<Key, Tree>;

  Tree() = default;
  Tree(std::initializer_list<Entry> entries) : kind_(Kind::dict), value_(std::vector<Entry>(entries)) {}
  Tree(bool b) : kind_(Kind::boolean), value_(b) {}
  template <std::integral T>
  Tree(T i) : kind_(Kind::integer), value_(static_cast<int64_t>(i)) {}
  template <std::floating_point T>
  Tree(T r) : kind_(Kind::real), value_(static_cast<double>(r)) {}
  Tree(std::string text) : kind_(Kind::text), value_(std::move(text)) {}
  Tree(std::string_view text) : Tree(std::string(text)) {}
  Tree(const char* text) : Tree(std::string(text)) {}
  Tree(StoredTensor tensor)
      : kind_(Kind::tensor), value_(std::make_shared<const StoredTensor>(std::move(tensor))) {}
  Tree(const Array& array) : Tree(stored("", array)) {}
  template <class T>
  requires requires(const T& t) {
    { t.array() } -> std::convertible_to<const Array&>;
  }
  Tree(const T& tensor) : Tree(tensor.array()) {}
  template <class T>
  Tree(const std::vector<T>& items) : Tree(list({items.begin(), items.end()})) {}

  static Tree dict(std::vector<Entry> entries = {});
  static Tree list(std::vector<Tree> items = {});
  static Tree tuple(std::vector<Tree> items);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }

  bool boolean() const;
  int64_t integer() const;
  double number() const;  // an integer, too, or a tensor of one element
  const std::string& text() const;
  const StoredTensor& tensor() const;
  Array array() const { return to_array(tensor()); }

  size_t size() const;
  // Of a list or tuple.
  const std::vector<Tree>& items() const;
  void push_back(Tree item);
  // Of a dictionary.
  const std::vector<Entry>& entries() const;
  static std::string key_text(const Key& key);
  const Tree* find(const Key& key) const;  // null where there is none
  bool contains(const Key& key) const { return find(key) != nullptr; }
  const Tree& operator[](std::string_view key) const;
  void set(Key key, Tree value);  // replaces what has the key

  // Of the state_dict of a model, which PyTorch keeps as an OrderedDict with versions beside it.
  bool is_ordered = false;
  ModuleVersions versions;

 private:
  template <class T>
  const T& as(const char* wanted) const;

  Kind kind_ = Kind::none;
  std::variant<std::monostate, bool, int64_t, double, std::string, std::shared_ptr<const StoredTensor>,
               std::vector<Tree>, std::vector<Entry>>
      value_;
};

}  // namespace espalier::io
