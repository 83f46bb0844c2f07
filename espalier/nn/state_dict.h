#pragma once

#include <espalier/autograd/tensor.h>
#include <espalier/io/tree.h>

#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::nn {

// Names and their tensors, in order. A model's state_dict shares memory with the model.
class StateDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  StateDict() = default;
  StateDict(std::initializer_list<Entry> entries);
  // A part of a checkpoint, and back. Throws StateError for entries that are no tensors.
  StateDict(const io::Tree& tree);
  operator io::Tree() const;

  // Replaces the tensor of a name that is there.
  void set(std::string name, Tensor value);
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const Tensor* find(std::string_view name) const;  // null where there is none
  const Tensor& at(std::string_view name) const;    // throws StateError
  const Tensor& operator[](std::string_view name) const { return at(name); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  // The same with `prefix` taken from the names that start with it: "module.fc.weight" becomes "fc.weight".
  StateDict without_prefix(std::string_view prefix) const;

  io::ModuleVersions versions;  // of the model it is from

 private:
  // Where the name stands in sorted_, or would.
  std::vector<size_t>::const_iterator place(std::string_view name) const;

  std::vector<Entry> entries_;
  std::vector<size_t> sorted_;  // places in entries_, by name
};

// Names of a state to those of a model, in whole parts between dots: {"linear", "fc"} makes of
// "head.linear.weight" "head.fc.weight". "*" is any one part and stands for it in `to`: {"convs.*.conv1",
// "blocks.*.first"}. Only the first place in a name is changed; where `to` is empty the parts go.
struct Rename {
  std::string from, to;
};

struct SaveOptions {
  int64_t max_shard_bytes = 5'000'000'000;  // of one of several files
};

struct LoadOptions {
  bool strict = true;  // false: names that are missing or unexpected are no error
  // What the state's names have in front of the model's, such as "encoder."; names without it are no part of
  // the model. Where it is not given, that of wrappers and checkpoints is found: "module.", "_orig_mod.",
  // "model.", "state_dict.", and several of them.
  std::optional<std::string> prefix = {};
  std::vector<Rename> rename = {};       // each is tried on each name, in order, behind the prefix
  bool ignore_mismatched_sizes = false;  // true: tensors of another shape are left out, and listed
};

struct LoadResult {
  std::vector<std::string> missing;     // in the model only
  std::vector<std::string> unexpected;  // in the state only
  std::vector<std::string> mismatched;  // of another shape, left out
  std::vector<std::string> converted;   // of another dtype, converted as by copy_
  std::vector<std::string> outside;     // without the prefix, no part of the model: an optimizer's, say
  std::string prefix;                   // what the state's names had in front
  size_t loaded = 0;                    // names of the model
};
// All of it as text; "all 122 tensors were loaded" where there is nothing to say.
std::string to_string(const LoadResult& result);
std::ostream& operator<<(std::ostream& out, const LoadResult& result);

}  // namespace espalier::nn
