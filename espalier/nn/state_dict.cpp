#include <algorithm>
#include <ostream>

#include <espalier/core/error.h>
#include <espalier/nn/state_dict.h>

namespace espalier::nn {

StateDict::StateDict(std::initializer_list<Entry> entries) {
  for (auto& [name, value] : entries) set(name, value);
}

StateDict::StateDict(const io::Tree& tree) : versions(tree.versions) {
  for (auto& [key, value] : tree.entries()) {
    require<StateError>(value.is(io::Tree::Kind::tensor), "'", io::Tree::key_text(key),
                        "' is no tensor, so this is no state of a model; load the part that is one");
    set(io::Tree::key_text(key), Tensor(value.array()));
  }
}

StateDict::operator io::Tree() const {
  std::vector<io::Tree::Entry> entries;
  for (auto& [name, tensor] : entries_) entries.emplace_back(name, tensor);
  io::Tree out = io::Tree::dict(std::move(entries));
  out.is_ordered = true;
  out.versions = versions;
  return out;
}

std::vector<size_t>::const_iterator StateDict::place(std::string_view name) const {
  return std::lower_bound(sorted_.begin(), sorted_.end(), name,
                          [&](size_t i, std::string_view n) { return entries_[i].first < n; });
}

void StateDict::set(std::string name, Tensor value) {
  auto at = place(name);
  if (at != sorted_.end() && entries_[*at].first == name) {
    entries_[*at].second = std::move(value);
  } else {
    sorted_.insert(at, entries_.size());
    entries_.emplace_back(std::move(name), std::move(value));
  }
}

const Tensor* StateDict::find(std::string_view name) const {
  auto at = place(name);
  return at != sorted_.end() && entries_[*at].first == name ? &entries_[*at].second : nullptr;
}

const Tensor& StateDict::at(std::string_view name) const {
  const Tensor* found = find(name);
  require<StateError>(found, "the state holds no '", name, "'");
  return *found;
}

StateDict StateDict::without_prefix(std::string_view prefix) const {
  StateDict out;
  for (auto& [name, value] : entries_) {
    out.set(name.starts_with(prefix) ? name.substr(prefix.size()) : name, value);
  }
  return out;
}

std::string to_string(const LoadResult& r) {
  size_t left = r.missing.size() + r.mismatched.size();
  std::string out =
      concat(left ? "" : "all ", r.loaded, r.loaded == 1 ? " tensor was" : " tensors were", " loaded");
  if (left) out += concat(", ", left, " kept their values");
  if (!r.prefix.empty()) out += concat("\n  the state's names begin with '", printable(r.prefix), "'");
  const std::pair<const char*, const std::vector<std::string>&> lists[] = {
      {"missing from the state", r.missing},
      {"not in the model", r.unexpected},
      {"of another shape", r.mismatched},
      {"converted from another dtype", r.converted},
      {"no part of the model", r.outside}};
  for (auto& [title, names] : lists) {
    if (!names.empty()) out += concat("\n  ", title, ":");
    for (auto& name : names) out += concat("\n    ", printable(name));
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const LoadResult& result) { return out << to_string(result); }

}  // namespace espalier::nn
