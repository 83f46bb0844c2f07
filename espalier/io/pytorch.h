#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <espalier/io/file.h>
#include <espalier/io/named_array.h>
#include <espalier/io/stored_tensor.h>
#include <espalier/io/tree.h>
#include <espalier/io/value.h>

// What torch.save writes, in every form it has had: zip archives, TorchScript's and LibTorch's among them,
// and the format before PyTorch 1.6. Nothing in a file is executed; one that breaks a rule, or names anything
// that is no plain data, is refused with a FileError.
namespace espalier::io {

bool is_pytorch(std::span<const std::byte> file);
// Whether a path ends as files of PyTorch's do: .pt, .pth, .th, .bin, .ckpt.
bool has_pytorch_name(std::string_view path);

// An open file.
class TorchFile {
 public:
  explicit TorchFile(const std::string& path);
  TorchFile(MappedFile file);

  // All tensors, in their order; names join the keys on the way to them with dots: "state_dict.fc.weight".
  // Items of lists stand as "states[0]". The parts of a module that was saved whole are named as in its
  // state_dict.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  // All there is, as plain data: epochs, settings and other values stand here.
  const Value& root() const { return root_; }
  // The same as a tree. Objects are the dictionaries of what they were given, names of Python's are texts.
  Tree tree() const;
  std::string_view format() const { return format_; }  // "pytorch", "pytorch-legacy", "torchscript", "pickle"
  // What is odd though it does no harm.
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  friend class TorchReader;
  std::string_view format_;
  std::shared_ptr<ValueArena> arena_;
  Value root_;
  std::vector<StoredTensor> tensors_;
  std::vector<StoredTensor> numbered_;  // as values of the kind `tensor` count them
  size_t bytes_ = 0;
  std::vector<std::string> remarks_;
};

// Writes what torch.load(…, weights_only=True) reads. Tensors that share memory share it there. Throws
// DTypeError for element types that PyTorch does not have.
void write_pytorch(const std::string& path, const Tree& tree);
// The same for a state_dict. Throws ValueError for names that are used twice.
void write_pytorch(const std::string& path, const std::vector<StoredTensor>& tensors,
                   const ModuleVersions& versions = {});
void write_pytorch(const std::string& path, const std::vector<NamedArray>& arrays,
                   const ModuleVersions& versions = {});

}  // namespace espalier::io
