#include <espalier/io/weights.h>

#include <set>

#include <espalier/core/error.h>
#include <espalier/io/byte_reader.h>
#include <espalier/io/npy.h>
#include <espalier/io/onnx.h>
#include <espalier/io/shards.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Bytes = std::span<const std::byte>;

bool is_npz(Bytes file) {
  if (!is_zip(file)) return false;
  ZipFile zip(file);
  return !zip.entries().empty() && zip.entries()[0].name.ends_with(".npy");
}

bool is_anything(Bytes) { return true; }

}  // namespace

struct WeightsFile::Format {
  std::string_view name;  // empty where the reader says it
  bool (*is)(Bytes file);
  void (WeightsFile::*read)(MappedFile file);
};

// The first that fits is taken: those with a clear beginning come first.
const WeightsFile::Format& WeightsFile::format_of(Bytes file) {
  static constexpr Format kFormats[] = {
      {"safetensors", looks_like_safetensors, &WeightsFile::read_safetensors},
      {"npy", is_npy, &WeightsFile::read_npy},
      {"npz", is_npz, &WeightsFile::read_npz},
      {"", is_pytorch, &WeightsFile::read_pytorch},
      {"shards", is_shard_index, &WeightsFile::read_shards},
      {"onnx", is_onnx, &WeightsFile::read_onnx},
      {"onnx-tensor", is_onnx_tensor, &WeightsFile::read_onnx_tensor},
      {"", is_anything, &WeightsFile::read_unknown},
  };
  const Format* format = kFormats;
  while (!format->is(file)) ++format;
  return *format;
}

WeightsFile::WeightsFile(const std::string& path) : WeightsFile(path, false) {}

WeightsFile::WeightsFile(const std::string& path, bool is_shard) : path_(path) {
  MappedFile file = map_file(path);
  try {
    read(std::move(file), is_shard);
  } catch (FileError& e) {
    e.prepend(concat("can't read '", path, "': "));
    throw;
  }
}

void WeightsFile::read(MappedFile file, bool is_shard) {
  require<FileError>(!as_text(file.bytes).starts_with("version https://git-lfs"),
                     "it is a pointer of Git LFS, not the file itself; run git lfs pull");
  const Format& format = format_of(file.bytes);
  format_ = format.name;
  require<FileError>(!is_shard || format_ != "shards", "it is an index itself");
  (this->*format.read)(std::move(file));
  for (size_t i = 0; i < tensors_.size(); ++i) places_.emplace(tensors_[i].name, i);
  find_aliases();
}

void WeightsFile::find_aliases() {
  if (format_ != "safetensors") return;
  for (const auto& [dropped, kept] : metadata_) {
    auto found = places_.find(kept);
    if (found != places_.end() && !places_.count(dropped)) aliases_.emplace(dropped, found->second);
  }
}

void WeightsFile::read_safetensors(MappedFile file) {
  SafetensorsHeader header = parse_safetensors(file.bytes);
  for (const auto& e : header.entries) {
    auto* data = file.bytes.data() + header.data_begin + e.begin;
    tensors_.push_back({e.name, find_element_type(e.dtype->name), e.shape, contiguous_strides(e.shape),
                        Storage::borrow(data, e.end - e.begin, file.owner), 0});
  }
  metadata_ = std::move(header.metadata);
}

void WeightsFile::read_npy(MappedFile file) { tensors_.push_back(parse_npy(file.bytes, file.owner)); }

void WeightsFile::read_npz(MappedFile file) { tensors_ = parse_npz(file); }

void WeightsFile::read_pytorch(MappedFile file) {
  torch_.emplace(std::move(file));
  format_ = torch_->format();
  tensors_ = torch_->tensors();
  remarks_ = torch_->remarks();
}

void WeightsFile::read_onnx(MappedFile file) {
  auto open = [&](const std::string& location) { return map_beneath(folder_of(path_), location); };
  tensors_ = parse_onnx(file, open, remarks_);
}

void WeightsFile::read_onnx_tensor(MappedFile file) {
  auto open = [&](const std::string& location) { return map_beneath(folder_of(path_), location); };
  tensors_.push_back(parse_onnx_tensor(file, open));
}

void WeightsFile::read_shards(MappedFile file) {
  ShardIndex index = parse_shard_index(file.bytes);
  std::set<std::string> files;
  for (const auto& [name, shard] : index.files) files.insert(shard);
  uint64_t bytes = 0;
  for (const std::string& name : files) {
    WeightsFile shard(folder_of(path_) + name, true);
    for (StoredTensor& t : shard.tensors_) {
      auto known = index.files.find(t.name);
      if (known == index.files.end() || known->second != name) {
        remarks_.push_back(
            concat("'", printable(t.name), "' in '", printable(name), "' is not in the index"));
        continue;
      }
      bytes += static_cast<uint64_t>(t.bytes());
      index.files.erase(known);
      tensors_.push_back(std::move(t));
    }
  }
  std::string missing;
  for (const auto& [name, shard] : index.files)
    missing += concat("\n  ", printable(name), " in ", printable(shard));
  require<FileError>(missing.empty(), "tensors are missing:", missing);
  if (index.total_size.value_or(bytes) != bytes) {
    remarks_.push_back(concat("the index speaks of ", std::to_string(*index.total_size),
                              " bytes, the tensors have ", std::to_string(bytes)));
  }
}

void WeightsFile::read_unknown(MappedFile file) {
  if (path_.ends_with(".safetensors")) read_safetensors(std::move(file));  // says what is wrong with it
  std::string_view text = as_text(file.bytes);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  require<FileError>(
      !text.starts_with("<!DOCTYPE") && !text.starts_with("<!doctype") && !text.starts_with("<html"),
      "it is a web page, not the file itself; check how it was downloaded");
  throw FileError(file.bytes.empty()
                      ? "it is empty"
                      : "it is of no format that Espalier reads: safetensors, PyTorch's, NumPy's, ONNX");
}

const StoredTensor* WeightsFile::find(const std::string& name) const {
  if (auto found = places_.find(name); found != places_.end()) return &tensors_[found->second];
  auto alias = aliases_.find(name);
  return alias == aliases_.end() ? nullptr : &tensors_[alias->second];
}

Array WeightsFile::array(const std::string& name) const {
  const StoredTensor* found = find(name);
  require<FileError>(found, "there is no tensor '", printable(name), "' in '", path_, "'");
  return to_array(*found);
}

std::vector<NamedArray> read_weights(const std::string& path) {
  WeightsFile file(path);
  std::vector<NamedArray> out;
  for (const StoredTensor& t : file.tensors()) out.push_back({t.name, to_array(t)});
  for (const auto& [name, position] : file.aliases()) out.push_back({name, out[position].array});
  return out;
}

}  // namespace espalier::io
