#include <espalier/io/weights.h>

#include <gtest/gtest.h>

#include <algorithm>

#include <espalier/core/error.h>
#include <espalier/io/file.h>

#include <error_of.h>
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

TEST(Weights, a_single_tensor_can_be_read) {
  TemporaryFolder folder;
  Array a = Array::empty({2}, float32);
  std::fill_n(a.data<float>(), 2, 7.f);
  write_safetensors(folder / "x", {{"a", a}, {"b", a}}, {{"c", "a"}});
  WeightsFile file(folder / "x");
  EXPECT_EQ(file.find("a")->shape, (Shape{2}));
  EXPECT_EQ(file.array("c").data<float>()[1], 7);
  EXPECT_EQ(file.find("d"), nullptr);
  EXPECT_THROW(file.array("d"), FileError);
}

TEST(Weights, a_tar_of_the_first_pytorch_is_refused_by_its_name) {
  TemporaryFolder folder;
  std::string tar(1024, '\0');
  tar.replace(0, 8, "storages").replace(257, 5, "ustar");
  write_file(folder / "old.pt", tar);
  auto read = [&] { WeightsFile(folder / "old.pt"); };
  EXPECT_NE(test::error_of<FileError>(read).find("it is a tar archive; unpack it, or, if PyTorch 0.1"),
            std::string::npos);
}

TEST(Weights, other_files_are_refused_with_a_hint) {
  TemporaryFolder folder;
  for (auto [content, hint] : std::initializer_list<std::pair<const char*, const char*>>{
           {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
           {"<!DOCTYPE html>", "web page"},
           {"", "it is empty"},
           {"hello", "of no format that Espalier reads"}}) {
    write_file(folder / "x", content);
    try {
      WeightsFile file(folder / "x");
      FAIL() << content;
    } catch (const FileError& e) {
      EXPECT_NE(std::string(e.what()).find(hint), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace espalier::io
