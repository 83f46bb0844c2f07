#pragma once

#include <optional>
#include <unordered_map>

#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>

namespace espalier::io {

// A file of weights in any format that Espalier reads, told by what is in it.
class WeightsFile {
 public:
  explicit WeightsFile(const std::string& path);

  std::string_view format() const { return format_; }  // "safetensors", "npy", "npz", or TorchFile's
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in the file's order
  // Further names of tensors that were saved once, and their positions in tensors().
  const std::map<std::string, size_t>& aliases() const { return aliases_; }
  const Metadata& metadata() const { return metadata_; }
  const std::vector<std::string>& remarks() const { return remarks_; }  // what is odd though it does no harm
  // Null where the file is not one of PyTorch's.
  const TorchFile* pytorch() const { return torch_ ? &*torch_ : nullptr; }

 private:
  void read(MappedFile file);
  void read_safetensors(const MappedFile& file);

  std::string_view format_;
  std::vector<StoredTensor> tensors_;
  std::unordered_map<std::string, size_t> places_;  // of names in tensors()
  std::map<std::string, size_t> aliases_;
  Metadata metadata_;
  std::vector<std::string> remarks_;
  std::optional<TorchFile> torch_;
};

// All tensors by name, aliases too. Throws DTypeError for element types that are not ours.
std::vector<NamedArray> read_weights(const std::string& path);

}  // namespace espalier::io
