#include <espalier/data/image_folder.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>

#include <espalier/core/error.h>
#include <espalier/core/threads.h>
#include <espalier/data/image.h>
#include <espalier/data/transforms.h>

namespace espalier::data {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Labelled {
  fs::path path;
  int64_t label;
};

bool is_image(const fs::path& path) {
  std::string end = path.extension().string();
  std::ranges::transform(end, end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

template <class Keep>
std::vector<fs::path> sorted_entries(const fs::path& folder, Keep&& keep) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with('.') && keep(entry.path())) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

std::vector<fs::path> class_folders(const fs::path& folder) {
  return sorted_entries(folder, [](const fs::path& p) { return fs::is_directory(p); });
}

Names names_of(const std::vector<fs::path>& folders) {
  Names names;
  for (const auto& folder : folders) names.push_back(folder.filename().string());
  return names;
}

std::vector<Labelled> list_images(const fs::path& folder, const Names& classes) {
  std::vector<Labelled> out;
  for (const auto& of_class : class_folders(folder)) {
    auto at = std::ranges::find(classes, of_class.filename().string());
    require<FileError>(at != classes.end(), "'", of_class.string(),
                       "' is not a class of the training images; there are ", classes.size(),
                       " folders in train");
    for (const auto& file : sorted_entries(of_class, is_image)) out.push_back({file, at - classes.begin()});
  }
  return out;
}

Array read_sized(const fs::path& path, const ImageFolderOptions& options) {
  Array image = read_image(path.string());
  if (!options.resize) return image;
  Generator unused;
  return Resize{options.resize->height, options.resize->width}(image, unused);
}

ImageDataset read_part(const std::vector<Labelled>& files, const Names& classes, const std::string& name,
                       const ImageFolderOptions& options) {
  ImageDataset out;
  out.name = name;
  out.classes = classes;
  for (const auto& file : files) out.labels.push_back(file.label);
  Array first = files.empty() ? Array::empty({3, 0, 0}, DType::uint8) : read_sized(files[0].path, options);
  out.images = Array::empty({out.size(), 3, first.shape[1], first.shape[2]}, DType::uint8);
  parallel_for(out.size(), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Array image = read_sized(files[i].path, options);
      require<FileError>(image.shape == first.shape, "'", files[i].path.string(), "' is ", image.shape, ", '",
                         files[0].path.string(), "' is ", first.shape, "; choose a size to resize all to");
      std::memcpy(out.image(i).data(), image.data(), static_cast<size_t>(image.bytes()));
    }
  });
  return out;
}

// Every nth file of a class goes from `files` to the result.
std::vector<Labelled> take_every(int64_t n, std::vector<Labelled>& files) {
  std::vector<Labelled> taken, left;
  int64_t at = 0, label = -1;
  for (auto& file : files) {
    at = file.label == label ? at + 1 : 1;
    label = file.label;
    (n > 0 && at % n == 0 ? taken : left).push_back(std::move(file));
  }
  files = std::move(left);
  return taken;
}

}  // namespace

Splits image_folder(const std::string& folder, const ImageFolderOptions& options) {
  require<FileError>(fs::is_directory(folder), "there is no folder '", folder,
                     "'; give one with a folder of images a class");
  fs::path root = folder;
  bool split = fs::is_directory(root / "train");
  fs::path train_folder = split ? root / "train" : root;
  Names classes = names_of(class_folders(train_folder));
  auto train = list_images(train_folder, classes);
  require<FileError>(!train.empty(), "no images in '", folder,
                     "': looked for .png, .jpg and .jpeg in one folder a class, ",
                     "and so below train and test");
  std::vector<Labelled> test;
  if (!split) test = take_every(options.test_every, train);
  else if (fs::is_directory(root / "test")) test = list_images(root / "test", classes);
  Splits out{read_part(train, classes, folder + ", training images", options),
             read_part(test, classes, folder + ", test images", options)};
  if (test.empty()) out.test.notes = "there is no folder test, so there are no test images";
  return out;
}

}  // namespace espalier::data
