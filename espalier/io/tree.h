#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <espalier/core/scalar.h>
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
  // A text or an integer.
  struct Key {
    Key(std::string text);
    Key(const char* text);
    template <std::integral T>
    Key(T number) : number(static_cast<int64_t>(number)), is_text(false) {}
    bool operator==(const Key&) const = default;

    std::string text;
    int64_t number = 0;
    bool is_text = true;
  };
  using Entry = std::pair<Key, Tree>;

  Tree();
  Tree(const Tree&);
  Tree(Tree&&) noexcept;
  Tree& operator=(const Tree&);
  Tree& operator=(Tree&&) noexcept;
  ~Tree();

  Tree(std::initializer_list<Entry> entries);
  Tree(Scalar number);
  template <class T>
  requires std::is_arithmetic_v<T> Tree(T number) : Tree(Scalar(number)) {}
  Tree(std::string text);
  Tree(std::string_view text);
  Tree(const char* text);
  Tree(StoredTensor tensor);
  Tree(const Array& array);
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
  void check(Kind wanted, const char* words = nullptr) const;

  // Of these one is used.
  Kind kind_ = Kind::none;
  Scalar number_ = 0;
  std::string text_;
  Shared<const StoredTensor> tensor_;
  std::vector<Tree> items_;
  std::vector<Entry> entries_;
};

}  // namespace espalier::io
