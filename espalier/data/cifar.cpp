#include <espalier/data/cifar.h>

#include <cstring>
#include <filesystem>
#include <sstream>

#include <espalier/core/error.h>
#include <espalier/io/file.h>

namespace espalier::data {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr int64_t kPixels = 3 * 32 * 32;

struct Format {
  std::string name, archive_folder, names_file;
  Names train_files, test_files;
  Names classes;        // where there is no names_file
  int64_t label_bytes;  // before each image; the last of them is the label
};

const Format kCifar10{
    "CIFAR-10",
    "cifar-10-batches-bin",
    "batches.meta.txt",
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    {"test_batch.bin"},
    {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
    1};

Names numbers(int count) {
  Names names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

const Format kCifar100{
    "CIFAR-100", "cifar-100-binary", "fine_label_names.txt", {"train.bin"}, {"test.bin"}, numbers(100), 2};

std::string joined(const Names& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Names class_names(const fs::path& folder, const Format& format) {
  fs::path path = folder / format.names_file;
  if (!fs::exists(path)) return format.classes;
  std::istringstream text(io::read_file(path.string()));
  Names names;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  require<FileError>(names.size() == format.classes.size(), "'", path.string(), "' names ", names.size(),
                     " classes, ", format.name, " has ", format.classes.size(), "; get it anew");
  return names;
}

struct Batch {
  std::string path;
  io::MappedFile file;
};

Batch open_batch(const fs::path& path, int64_t record) {
  Batch batch{path.string(), io::map_file(path.string())};
  bool whole = !batch.file.bytes.empty() && batch.file.bytes.size() % static_cast<size_t>(record) == 0;
  require<FileError>(whole, "'", batch.path, "' has ", batch.file.bytes.size(),
                     " bytes, which is not a number of images of ", record,
                     " bytes: it is damaged or cut off; get it anew");
  return batch;
}

// Adds the batch's labels to `out` and writes its pixels at `to`.
void read_batch(const Batch& batch, int64_t record, uint8_t* to, ImageDataset& out) {
  auto count = static_cast<int64_t>(batch.file.bytes.size()) / record;
  const auto* from = reinterpret_cast<const uint8_t*>(batch.file.bytes.data());
  int64_t label_bytes = record - kPixels;
  for (int64_t i = 0; i < count; ++i, from += record, to += kPixels) {
    int64_t label = from[label_bytes - 1];
    require<FileError>(label < static_cast<int64_t>(out.classes.size()), "'", batch.path,
                       "': the label of image ", i, " is ", label, ", there are ", out.classes.size(),
                       " classes; get it anew");
    out.labels.push_back(label);
    std::memcpy(to, from + label_bytes, kPixels);
  }
}

ImageDataset read_part(const fs::path& folder, const Format& format, const Names& files,
                       const std::string& name) {
  ImageDataset out;
  out.name = concat(format.name, ", ", name);
  out.classes = class_names(folder, format);
  int64_t record = format.label_bytes + kPixels, count = 0;
  std::vector<Batch> batches;
  Names missing;
  for (const auto& file : files) {
    if (!fs::exists(folder / file)) {
      missing.push_back(file);
      continue;
    }
    batches.push_back(open_batch(folder / file, record));
    count += static_cast<int64_t>(batches.back().file.bytes.size()) / record;
  }
  if (!missing.empty()) out.notes = concat("not in '", folder.string(), "', so left out: ", joined(missing));
  out.images = Array::empty({count, 3, 32, 32}, DType::uint8);
  for (const auto& batch : batches)
    read_batch(batch, record, out.images.data<uint8_t>() + out.size() * kPixels, out);
  return out;
}

Splits read_splits(const std::string& given, const Format& format) {
  fs::path folder = given;
  if (fs::is_directory(folder / format.archive_folder)) folder /= format.archive_folder;
  Splits splits{read_part(folder, format, format.train_files, "training images"),
                read_part(folder, format, format.test_files, "test images")};
  require<FileError>(splits.train.size() > 0, "no training images of ", format.name, " in '", given,
                     "': looked for ", joined(format.train_files),
                     "; give the folder with the files of its binary version");
  return splits;
}

}  // namespace

Splits cifar10(const std::string& folder) { return read_splits(folder, kCifar10); }
Splits cifar100(const std::string& folder) { return read_splits(folder, kCifar100); }

}  // namespace espalier::data
