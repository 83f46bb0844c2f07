#include <espalier/io/tree.h>

#include <algorithm>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

constexpr const char* kWords[] = {"None",     "a flag", "an integer", "a real number", "a text",
                                  "a tensor", "a list", "a tuple",    "a dictionary"};

}  // namespace

Tree Tree::dict(std::vector<Entry> entries) {
  Tree out;
  out.kind_ = Kind::dict;
  out.value_ = std::move(entries);
  return out;
}

Tree Tree::list(std::vector<Tree> items) {
  Tree out;
  out.kind_ = Kind::list;
  out.value_ = std::move(items);
  return out;
}

Tree Tree::tuple(std::vector<Tree> items) {
  Tree out = list(std::move(items));
  out.kind_ = Kind::tuple;
  return out;
}

template <class T>
const T& Tree::as(const char* wanted) const {
  const T* value = std::get_if<T>(&value_);
  require<StateError>(value, "it is ", kWords[static_cast<int>(kind_)], ", not ", wanted);
  return *value;
}

bool Tree::boolean() const { return as<bool>("a flag"); }
int64_t Tree::integer() const { return as<int64_t>("an integer"); }
const std::string& Tree::text() const { return as<std::string>("a text"); }
const StoredTensor& Tree::tensor() const { return *as<std::shared_ptr<const StoredTensor>>("a tensor"); }
const std::vector<Tree>& Tree::items() const { return as<std::vector<Tree>>("a list"); }
const std::vector<Tree::Entry>& Tree::entries() const { return as<std::vector<Entry>>("a dictionary"); }

double Tree::number() const {
  if (is(Kind::integer)) return static_cast<double>(integer());
  if (!is(Kind::tensor)) return as<double>("a number");
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
  std::get<std::vector<Tree>>(value_).push_back(std::move(item));
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
  auto& all = std::get<std::vector<Entry>>(value_);
  auto place = std::ranges::find(all, key, &Entry::first);
  if (place == all.end()) all.emplace_back(std::move(key), std::move(value));
  else place->second = std::move(value);
}

std::string Tree::key_text(const Key& key) {
  auto* text = std::get_if<std::string>(&key);
  return text ? printable(*text) : std::to_string(std::get<int64_t>(key));
}

}  // namespace espalier::io
