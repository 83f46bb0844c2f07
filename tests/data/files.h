#pragma once

#include <string>
#include <vector>

#include <espalier/core/array.h>
#include <espalier/core/error.h>

namespace espalier::data {

// Writers of what the readers are tested with.
std::string idx(const std::vector<uint32_t>& sizes, const std::string& values);
std::string gzip(const std::string& bytes);
// `pixels` are [3, H, W].
std::string png(const Array& pixels);
std::string jpeg(const Array& pixels);

// Every pixel has this colour.
Array plain_image(int64_t height, int64_t width, uint8_t red, uint8_t green, uint8_t blue);

template <class F>
std::string file_error_of(F&& f) {
  try {
    f();
  } catch (const FileError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace espalier::data
