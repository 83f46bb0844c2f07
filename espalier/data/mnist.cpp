#include <espalier/data/mnist.h>

#include <cstring>
#include <filesystem>
#include <memory>

#include <zlib.h>

#include <espalier/core/error.h>

namespace espalier::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{1} << 32;  // of one file, unpacked

// A whole file, unpacked where it is gzip.
std::string read_unpacked(const std::string& path) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose_r);
  require<FileError>(file != nullptr, "can't read '", path, "'; check the permissions of the file");
  ::gzbuffer(file.get(), 1 << 18);
  std::string bytes;
  constexpr size_t kPiece = size_t{1} << 20;
  for (size_t got = kPiece; got == kPiece;) {
    size_t have = bytes.size();
    bytes.resize(have + kPiece);
    int n = ::gzread(file.get(), bytes.data() + have, kPiece);
    int error = Z_OK;
    ::gzerror(file.get(), &error);
    require<FileError>(n >= 0 && error == Z_OK, "can't read '", path,
                       "': its gzip data are damaged or cut off; get it anew");
    got = static_cast<size_t>(n);
    bytes.resize(have + got);
    require<FileError>(bytes.size() <= kMostBytes, "can't read '", path,
                       "': it is larger than any data set of its kind");
  }
  return bytes;
}

int64_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// An IDX file of uint8 with `rank` dimensions.
Array read_idx(const std::string& path, int rank) {
  std::string bytes = read_unpacked(path);
  size_t header = 4 + 4 * static_cast<size_t>(rank);
  bool known = bytes.size() >= header && big_endian(bytes, 0) == 0x800 + rank;
  require<FileError>(known, "'", path, "' is not an IDX file of bytes with ", rank, " dimensions");
  Shape shape;
  int64_t count = 1;
  for (int d = 0; d < rank; ++d) {
    shape.push_back(big_endian(bytes, 4 + 4 * static_cast<size_t>(d)));
    bool fits = !__builtin_mul_overflow(count, shape[d], &count);
    require<FileError>(fits, "'", path, "': its header speaks of a shape too large to be true");
  }
  auto data = static_cast<int64_t>(bytes.size() - header);
  require<FileError>(data == count, "'", path, "': its header speaks of ", shape, " values, that is ", count,
                     ", but it holds ", data, "; get it anew");
  Array out = Array::empty(shape, DType::uint8);
  if (count > 0) std::memcpy(out.data(), bytes.data() + header, static_cast<size_t>(count));
  return out;
}

std::string find_file(const std::string& folder, const std::string& name) {
  for (const char* end : {"", ".gz"}) {
    std::string path = (fs::path(folder) / (name + end)).string();
    if (fs::exists(path)) return path;
  }
  throw FileError(concat("there is no ", name, " or ", name, ".gz in '", folder,
                         "'; give the folder with the four files of the data set"));
}

ImageDataset read_part(const std::string& folder, const std::string& part,
                       const std::vector<std::string>& classes) {
  ImageDataset out;
  std::string images = find_file(folder, part + "-images-idx3-ubyte"),
              labels = find_file(folder, part + "-labels-idx1-ubyte");
  Array pixels = read_idx(images, 3), positions = read_idx(labels, 1);
  require<FileError>(pixels.shape[0] == positions.shape[0], "'", images, "' holds ", pixels.shape[0],
                     " images, '", labels, "' ", positions.shape[0], " labels; get them anew");
  Shape shape = pixels.shape;
  shape.insert(1, 1);
  out.images = pixels.view(shape, contiguous_strides(shape), 0);
  auto* first = positions.data<uint8_t>();
  out.labels.assign(first, first + positions.numel());
  for (int64_t i = 0; i < out.size(); ++i) {
    require<FileError>(out.labels[i] < static_cast<int64_t>(classes.size()), "'", labels, "': label ", i,
                       " is ", out.labels[i], ", there are ", classes.size(), " classes; get it anew");
  }
  out.classes = classes;
  return out;
}

Splits read_splits(const std::string& name, const std::string& folder,
                   const std::vector<std::string>& classes) {
  Splits splits{read_part(folder, "train", classes), read_part(folder, "t10k", classes)};
  splits.train.name = name + ", training images";
  splits.test.name = name + ", test images";
  return splits;
}

}  // namespace

Splits mnist(const std::string& folder) {
  return read_splits("MNIST", folder, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

Splits fashion_mnist(const std::string& folder) {
  require<FileError>(
      fs::is_directory(folder), "there is no folder '", folder,
      "' with Fashion-MNIST; install Debian's package dataset-fashion-mnist or name the folder");
  return read_splits("Fashion-MNIST", folder,
                     {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                      "Bag", "Ankle boot"});
}

}  // namespace espalier::data
