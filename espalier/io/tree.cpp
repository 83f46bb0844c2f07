#include <espalier/io/tree.h>

#include <algorithm>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

constexpr const char* kWords[] = {"None",     "a flag", "an integer", "a real number", "a text",
                                  "a tensor", "a list", "a tuple",    "a dictionary"};

Tree::Kind kind_of(Scalar number) {
  switch (number.kind()) {
    case Scalar::Kind::boolean: return Tree::Kind::boolean;
    case Scalar::Kind::integer: return Tree::Kind::integer;
    default: return Tree::Kind::real;
  }
}

}  // namespace

Tree::Key::Key(std::string text) : text(std::move(text)) {}
Tree::Key::Key(const char* text) : text(text) {}

Tree::Tree() = default;
Tree::Tree(const Tree&) = default;
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(const Tree&) = default;
Tree& Tree::operator=(Tree&&) noexcept = default;
Tree::~Tree() = default;

Tree::Tree(std::initializer_list<Entry> entries) : kind_(Kind::dict), entries_(entries) {}
Tree::Tree(Scalar number) : kind_(kind_of(number)), number_(number) {}
Tree::Tree(std::string text) : kind_(Kind::text), text_(std::move(text)) {}
Tree::Tree(std::string_view text) : Tree(std::string(text)) {}
Tree::Tree(const char* text) : Tree(std::string(text)) {}
Tree::Tree(StoredTensor tensor)
    : kind_(Kind::tensor), tensor_(Shared<const StoredTensor>::make(std::move(tensor))) {}
Tree::Tree(const Array& array) : Tree(stored("", array)) {}

Tree Tree::dict(std::vector<Entry> entries) {
  Tree out;
  out.kind_ = Kind::dict;
  out.entries_ = std::move(entries);
  return out;
}

Tree Tree::list(std::vector<Tree> items) {
  Tree out;
  out.kind_ = Kind::list;
  out.items_ = std::move(items);
  return out;
}

Tree Tree::tuple(std::vector<Tree> items) {
  Tree out = list(std::move(items));
  out.kind_ = Kind::tuple;
  return out;
}

void Tree::check(Kind wanted, const char* words) const {
  bool fits = kind_ == wanted || (wanted == Kind::list && kind_ == Kind::tuple);
  require<StateError>(fits, "it is ", kWords[static_cast<int>(kind_)], ", not ",
                      words ? words : kWords[static_cast<int>(wanted)]);
}

bool Tree::boolean() const { return check(Kind::boolean), number_.to<bool>(); }
int64_t Tree::integer() const { return check(Kind::integer), number_.to_int64(); }
const std::string& Tree::text() const { return check(Kind::text), text_; }
const StoredTensor& Tree::tensor() const { return check(Kind::tensor), *tensor_; }
const std::vector<Tree>& Tree::items() const { return check(Kind::list), items_; }
const std::vector<Tree::Entry>& Tree::entries() const { return check(Kind::dict), entries_; }

double Tree::number() const {
  if (is(Kind::integer)) return static_cast<double>(integer());
  if (!is(Kind::tensor)) return check(Kind::real, "a number"), number_.to_double();
  Array a = array();
  require<StateError>(a.numel() == 1, "it is a tensor of shape ", a.shape, ", not a number");
  switch (a.dtype) {
    case DType::float32: return a.data<float>()[0];
    case DType::float64: return a.data<double>()[0];
    case DType::int64: return static_cast<double>(a.data<int64_t>()[0]);
    default: throw StateError(concat("it is a tensor of ", a.dtype, ", not a number"));
  }
}

size_t Tree::size() const { return is(Kind::dict) ? entries().size() : items().size(); }

void Tree::push_back(Tree item) {
  (void)items();
  items_.push_back(std::move(item));
}

const Tree* Tree::find(const Key& key) const {
  auto found = std::ranges::find(entries(), key, &Entry::first);
  return found == entries().end() ? nullptr : &found->second;
}

const Tree& Tree::operator[](std::string_view key) const {
  if (const Tree* found = find(std::string(key))) return *found;
  std::string there;
  for (auto& [name, value] : entries()) there += (there.empty() ? "" : ", ") + key_text(name);
  throw StateError(concat("there is no '", printable(key), "'; there is: ", there));
}

void Tree::set(Key key, Tree value) {
  (void)entries();
  auto place = std::ranges::find(entries_, key, &Entry::first);
  if (place == entries_.end()) entries_.emplace_back(std::move(key), std::move(value));
  else place->second = std::move(value);
}

std::string Tree::key_text(const Key& key) {
  return key.is_text ? printable(key.text) : std::to_string(key.number);
}

}  // namespace espalier::io
