#include <espalier/data/image.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <espalier/data/image_folder.h>
#include <espalier/io/file.h>

#include <data/files.h>
#include <temporary_folder.h>

namespace espalier::data {
namespace {

namespace fs = std::filesystem;

std::string error_for(const std::string& content) {
  TemporaryFolder folder;
  std::ofstream(folder / "image", std::ios::binary) << content;
  return file_error_of([&] { read_image(folder / "image"); });
}

void expect_says(const std::string& error, const std::string& part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

Array read_back(const std::string& content) {
  TemporaryFolder folder;
  io::write_file(folder / "image", content);
  return read_image(folder / "image");
}

Array gradient(int64_t height, int64_t width) {
  Array a = plain_image(height, width, 0, 0, 0);
  for (int64_t i = 0; i < a.numel(); ++i) a.data<uint8_t>()[i] = static_cast<uint8_t>(i * 7);
  return a;
}

// cat with two images, dog with one, below `root`.
void write_classes(const std::string& root, int64_t size = 4) {
  fs::create_directories(root + "/dog");
  fs::create_directories(root + "/cat");
  io::write_file(root + "/dog/1.PNG", png(plain_image(size, size, 9, 8, 7)));
  io::write_file(root + "/cat/b.png", png(plain_image(size, size, 4, 5, 6)));
  io::write_file(root + "/cat/a.jpg", jpeg(plain_image(size, size, 100, 100, 100)));
  io::write_file(root + "/cat/notes.txt", "not an image");
}

TEST(ReadImage, png_gives_its_pixels) {
  Array pixels = gradient(5, 3), back = read_back(png(pixels));
  ASSERT_EQ(back.shape, Shape({3, 5, 3}));
  EXPECT_TRUE(std::equal(pixels.data<uint8_t>(), pixels.data<uint8_t>() + 45, back.data<uint8_t>()));
}

TEST(ReadImage, jpeg_gives_its_colour) {
  Array back = read_back(jpeg(plain_image(9, 17, 200, 30, 60)));
  ASSERT_EQ(back.shape, Shape({3, 9, 17}));
  EXPECT_NEAR(back.data<uint8_t>()[0], 200, 3);
  EXPECT_NEAR(back.data<uint8_t>()[9 * 17], 30, 3);
  EXPECT_NEAR(back.data<uint8_t>()[2 * 9 * 17], 60, 3);
}

TEST(ReadImage, names_a_file_of_another_kind) {
  expect_says(error_for("GIF89a"), "image': it is neither a PNG nor a JPEG image");
  expect_says(error_for(""), "it is neither a PNG nor a JPEG image");
  expect_says(file_error_of([] { read_image("missing.png"); }), "check the path");
}

TEST(ReadImage, a_png_cut_anywhere_is_refused) {
  std::string whole = png(gradient(20, 20));
  for (size_t size = 4; size + 12 < whole.size(); size += 13)
    expect_says(error_for(whole.substr(0, size)), "damaged PNG");
}

TEST(ReadImage, a_jpeg_cut_anywhere_is_refused) {
  std::string whole = jpeg(gradient(20, 20));
  for (size_t size = 3; size + 3 < whole.size(); size += 13)
    expect_says(error_for(whole.substr(0, size)), "damaged JPEG");
}

TEST(ReadImage, a_changed_bit_of_a_png_is_refused) {
  std::string bytes = png(gradient(20, 20));
  bytes[bytes.size() / 2] ^= 1;
  expect_says(error_for(bytes), "damaged PNG");
}

TEST(ReadImage, a_size_that_would_fill_the_memory_is_refused) {
  std::string bytes = jpeg(plain_image(8, 8, 1, 2, 3));
  size_t frame = bytes.find("\xff\xc0");
  for (size_t i = 5; i < 9; ++i) bytes[frame + i] = '\xf0';
  expect_says(error_for(bytes), "61680 times 61680 pixels");
}

TEST(ImageFolder, classes_and_files_come_in_the_order_of_their_names) {
  TemporaryFolder folder;
  write_classes(folder / "");
  Splits splits = image_folder(folder / "");
  splits.train.check();
  EXPECT_EQ(splits.train.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(splits.train.labels, (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(splits.train.images.shape, Shape({3, 3, 4, 4}));
  EXPECT_EQ(splits.train.image(1).data<uint8_t>()[0], 4);
  EXPECT_EQ(splits.train.image(2).data<uint8_t>()[47], 7);
  EXPECT_EQ(splits.test.size(), 0);
  EXPECT_NE(splits.test.notes, "");
}

TEST(ImageFolder, takes_its_parts_from_train_and_test) {
  TemporaryFolder folder;
  write_classes(folder / "train");
  fs::create_directories(folder / "test/dog");
  io::write_file(folder / "test/dog/2.png", png(plain_image(4, 4, 1, 1, 1)));
  Splits splits = image_folder(folder / "");
  EXPECT_EQ(splits.train.size(), 3);
  EXPECT_EQ(splits.test.labels, std::vector<int64_t>{1});
  EXPECT_EQ(splits.test.classes, splits.train.classes);
  fs::create_directories(folder / "test/bird");
  expect_says(file_error_of([&] { image_folder(folder / ""); }),
              "bird' is not a class of the training images");
}

TEST(ImageFolder, can_set_test_images_aside) {
  TemporaryFolder folder;
  write_classes(folder / "");
  Splits splits = image_folder(folder / "", {.test_every = 2});
  EXPECT_EQ(splits.train.labels, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(splits.test.labels, std::vector<int64_t>{0});
}

TEST(ImageFolder, images_of_different_sizes_need_a_size) {
  TemporaryFolder folder;
  write_classes(folder / "");
  io::write_file(folder / "dog/2.png", png(plain_image(8, 6, 10, 20, 30)));
  expect_says(file_error_of([&] { image_folder(folder / ""); }), "choose a size to resize all to");
  Splits splits = image_folder(folder / "", {.resize = ImageSize{5, 7}});
  EXPECT_EQ(splits.train.images.shape, Shape({4, 3, 5, 7}));
  EXPECT_EQ(splits.train.image(3).data<uint8_t>()[0], 10);
}

TEST(ImageFolder, one_damaged_image_is_named) {
  TemporaryFolder folder;
  write_classes(folder / "");
  io::write_file(folder / "dog/2.png", png(plain_image(4, 4, 1, 1, 1)).substr(0, 40));
  expect_says(file_error_of([&] { image_folder(folder / ""); }), "dog/2.png': it is a damaged PNG");
}

TEST(ImageFolder, without_images_says_what_it_looked_for) {
  TemporaryFolder folder;
  expect_says(file_error_of([&] { image_folder(folder / ""); }), "looked for .png, .jpg and .jpeg");
  expect_says(file_error_of([&] { image_folder(folder / "missing"); }), "there is no folder");
}

}  // namespace
}  // namespace espalier::data
