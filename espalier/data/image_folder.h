#pragma once

#include <optional>
#include <string>

#include <espalier/data/dataset.h>

namespace espalier::data {

struct ImageSize {
  int64_t height = 0, width = 0;
};

struct ImageFolderOptions {
  std::optional<ImageSize> resize = std::nullopt;  // scale every image to this size
  int64_t test_every =
      0;  // without folders train and test: every so manieth image of a class is a test image
};

// PNG and JPEG images in one folder a class, `folder`/cat/1.png, or so below `folder`/train and
// `folder`/test. Classes and files are taken in the order of their names. Throws FileError for a damaged
// image, for images of different sizes when they are not resized, for a folder without any.
Splits image_folder(const std::string& folder, const ImageFolderOptions& options = {});

}  // namespace espalier::data
