#include <espalier/io/weights.h>

#include <gtest/gtest.h>

#include <espalier/io/file.h>

#include <temporary_folder.h>

namespace espalier::io {
namespace {

// A safetensors file without tensors whose header has `length` bytes.
std::string safetensors_with_header_of(size_t length) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 4; ++i) file[i] = static_cast<char>(length >> 8 * i);
  return file + "{}" + std::string(length - 2, ' ');
}

TEST(Weights, a_length_that_looks_like_the_magic_of_a_pickle_is_still_a_length) {
  TemporaryFolder folder;
  for (size_t length : {128, 384, 640, 0x20280, 0x7d0280}) {
    write_file(folder / "x", safetensors_with_header_of(length));
    EXPECT_EQ(WeightsFile(folder / "x").format(), "safetensors") << length;
  }
}

}  // namespace
}  // namespace espalier::io
