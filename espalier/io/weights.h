#pragma once

#include <optional>
#include <unordered_map>

#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>

namespace espalier::io {

// A file of weights in any format that Espalier reads, told by what is in it: safetensors, PyTorch's,
// NumPy's, ONNX, or the index of weights in several files (model.safetensors.index.json), which are read as
// one. What is in it is known at once; values are read as they are asked for.
class WeightsFile {
 public:
  explicit WeightsFile(const std::string& path);

  // "safetensors", "npy", "npz", "onnx", "onnx-tensor", "shards", or TorchFile's.
  std::string_view format() const { return format_; }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // in the file's order
  // Further names of tensors that were saved once, and their positions in tensors().
  const std::map<std::string, size_t>& aliases() const { return aliases_; }
  // By name or alias; null where there is none.
  const StoredTensor* find(const std::string& name) const;
  // The values alone, as to_array gives them. Throws FileError where there is no such tensor.
  Array array(const std::string& name) const;

  const Metadata& metadata() const { return metadata_; }
  const std::vector<std::string>& remarks() const { return remarks_; }  // what is odd though it does no harm
  // Null where the file is not one of PyTorch's.
  const TorchFile* pytorch() const { return torch_ ? &*torch_ : nullptr; }

 private:
  struct Format;
  static const Format& format_of(std::span<const std::byte> file);
  WeightsFile(const std::string& path, bool is_shard);
  void read(MappedFile file, bool is_shard);
  void read_safetensors(MappedFile file);
  void read_npy(MappedFile file);
  void read_npz(MappedFile file);
  void read_pytorch(MappedFile file);
  void read_shards(MappedFile file);
  void read_onnx(MappedFile file);
  void read_onnx_tensor(MappedFile file);
  [[noreturn]] void read_unknown(MappedFile file);
  void find_aliases();

  std::string path_;
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
