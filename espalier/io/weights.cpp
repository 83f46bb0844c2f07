#include <espalier/io/weights.h>

#include <espalier/core/error.h>
#include <espalier/io/byte_reader.h>
#include <espalier/io/npy.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Bytes = std::span<const std::byte>;

bool is_npz(Bytes file) {
  if (!is_zip(file)) return false;
  ZipFile zip(file);
  return !zip.entries().empty() && zip.entries()[0].name.ends_with(".npy");
}

}  // namespace

WeightsFile::WeightsFile(const std::string& path) {
  MappedFile file = map_file(path);
  try {
    read(std::move(file));
  } catch (FileError& e) {
    e.prepend(concat("can't read '", path, "': "));
    throw;
  }
}

void WeightsFile::read(MappedFile file) {
  require<FileError>(!as_text(file.bytes).starts_with("version https://git-lfs"),
                     "it is a pointer of Git LFS, not the file itself; run git lfs pull");
  if (looks_like_safetensors(file.bytes)) {
    read_safetensors(file);
  } else if (is_npy(file.bytes)) {
    format_ = "npy";
    tensors_.push_back(parse_npy(file.bytes, file.owner));
  } else if (is_npz(file.bytes)) {
    format_ = "npz";
    tensors_ = parse_npz(file);
  } else if (is_pytorch(file.bytes)) {
    torch_.emplace(std::move(file));
    format_ = torch_->format();
    tensors_ = torch_->tensors();
    remarks_ = torch_->remarks();
  } else {
    read_safetensors(file);
  }
}

void WeightsFile::read_safetensors(const MappedFile& file) {
  format_ = "safetensors";
  SafetensorsHeader header = parse_safetensors(file.bytes);
  for (const auto& e : header.entries) {
    auto* data = file.bytes.data() + header.data_begin + e.begin;
    places_.emplace(e.name, tensors_.size());
    tensors_.push_back({e.name, find_element_type(e.dtype->name), e.shape, contiguous_strides(e.shape),
                        Storage::borrow(data, e.end - e.begin, file.owner), 0});
  }
  for (const auto& [dropped, kept] : header.metadata) {
    auto found = places_.find(kept);
    if (found != places_.end() && !places_.count(dropped)) aliases_.emplace(dropped, found->second);
  }
  metadata_ = std::move(header.metadata);
}

std::vector<NamedArray> read_weights(const std::string& path) {
  WeightsFile file(path);
  std::vector<NamedArray> out;
  for (const StoredTensor& t : file.tensors()) out.push_back({t.name, to_array(t)});
  for (const auto& [name, position] : file.aliases()) out.push_back({name, out[position].array});
  return out;
}

}  // namespace espalier::io
