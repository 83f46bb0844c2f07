#include <filesystem>

#include <gtest/gtest.h>

#include <espalier/data/cifar.h>
#include <espalier/data/mnist.h>
#include <espalier/io/file.h>

#include <data/files.h>
#include <temporary_folder.h>

namespace espalier::data {
namespace {

namespace fs = std::filesystem;

const std::string kTrainImages = "train-images-idx3-ubyte", kTrainLabels = "train-labels-idx1-ubyte";
const std::string kTestImages = "t10k-images-idx3-ubyte", kTestLabels = "t10k-labels-idx1-ubyte";

// Two training images of 1 by 3 pixels, one test image; one file of the four is packed.
void write_mnist(const TemporaryFolder& folder) {
  io::write_file(folder / kTrainImages, idx({2, 1, 3}, "abcdef"));
  io::write_file(folder / (kTrainLabels + ".gz"), gzip(idx({2}, std::string("\7\0", 2))));
  io::write_file(folder / kTestImages, idx({1, 1, 3}, "xyz"));
  io::write_file(folder / kTestLabels, idx({1}, "\1"));
}

// Writes a good data set with one file replaced and gives the error.
std::string error_with(const std::string& file, const std::string& content) {
  TemporaryFolder folder;
  write_mnist(folder);
  io::write_file(folder / file, content);
  return file_error_of([&] { mnist(folder / ""); });
}

void expect_says(const std::string& error, const std::string& part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

std::string cifar_record(char label, char pixel) { return std::string(1, label) + std::string(3072, pixel); }

TEST(Mnist, is_read_plain_and_packed) {
  TemporaryFolder folder;
  write_mnist(folder);
  Splits splits = mnist(folder / "");
  splits.train.check();
  EXPECT_EQ(splits.train.images.shape, Shape({2, 1, 1, 3}));
  EXPECT_EQ(splits.train.image(1).data<uint8_t>()[2], 'f');
  EXPECT_EQ(splits.train.labels, (std::vector<int64_t>{7, 0}));
  EXPECT_EQ(splits.test.size(), 1);
  EXPECT_EQ(splits.test.classes.size(), 10u);
}

TEST(Mnist, says_what_is_missing) {
  TemporaryFolder folder;
  expect_says(file_error_of([&] { mnist(folder / ""); }),
              "there is no " + kTrainImages + " or " + kTrainImages + ".gz");
  expect_says(file_error_of([] { fashion_mnist("no/such/folder"); }),
              "install Debian's package dataset-fashion-mnist");
}

TEST(Mnist, damaged_files_are_refused) {
  expect_says(error_with(kTestImages, ""), "is not an IDX file of bytes with 3 dimensions");
  expect_says(error_with(kTestImages, idx({1}, "\1")), "is not an IDX file of bytes with 3 dimensions");
  expect_says(error_with(kTestImages, idx({1, 1, 3}, "xy")), "that is 3, but it holds 2");
  expect_says(error_with(kTestImages, idx({1, 1, 3}, "xyzz")), "that is 3, but it holds 4");
  expect_says(error_with(kTestImages, idx({0xffffffff, 0xffffffff, 0xffffffff}, "")), "too large to be true");
  expect_says(error_with(kTestImages, idx({2, 1, 3}, "abcxyz")), "holds 2 images, ");
  expect_says(error_with(kTestLabels, idx({1}, "\n")), "label 0 is 10, there are 10 classes");
}

TEST(Mnist, damaged_gzip_is_refused) {
  std::string packed = gzip(idx({2}, std::string("\7\0", 2)));
  expect_says(error_with(kTrainLabels + ".gz", packed.substr(0, packed.size() - 4)), "damaged or cut off");
  packed[packed.size() - 8] ^= 1;
  expect_says(error_with(kTrainLabels + ".gz", packed), "damaged or cut off");
}

TEST(FashionMnist, of_the_package_is_whole) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  Splits splits = fashion_mnist();
  splits.train.check();
  EXPECT_EQ(splits.train.images.shape, Shape({60000, 1, 28, 28}));
  EXPECT_EQ(splits.test.size(), 10000);
  EXPECT_EQ(splits.train.labels[0], 9);
  EXPECT_EQ(splits.test.classes[9], "Ankle boot");
}

TEST(Cifar10, uses_the_batches_that_are_there_and_names_the_others) {
  TemporaryFolder folder;
  io::write_file(folder / "data_batch_1.bin", cifar_record(3, 'a') + cifar_record(9, 'b'));
  io::write_file(folder / "data_batch_4.bin", cifar_record(0, 'c'));
  io::write_file(folder / "test_batch.bin", cifar_record(1, 'd'));
  Splits splits = cifar10(folder / "");
  splits.train.check();
  EXPECT_EQ(splits.train.images.shape, Shape({3, 3, 32, 32}));
  EXPECT_EQ(splits.train.labels, (std::vector<int64_t>{3, 9, 0}));
  EXPECT_EQ(splits.train.image(2).data<uint8_t>()[3071], 'c');
  EXPECT_EQ(splits.train.classes[3], "cat");
  expect_says(splits.train.notes, "data_batch_2.bin, data_batch_3.bin, data_batch_5.bin");
  EXPECT_EQ(splits.test.size(), 1);
  EXPECT_EQ(splits.test.notes, "");
}

TEST(Cifar10, is_found_in_the_folder_of_its_archive) {
  TemporaryFolder folder;
  fs::create_directory(folder / "cifar-10-batches-bin");
  io::write_file(folder / "cifar-10-batches-bin/data_batch_1.bin", cifar_record(3, 'a'));
  EXPECT_EQ(cifar10(folder / "").train.size(), 1);
}

TEST(Cifar10, says_what_it_looked_for) {
  TemporaryFolder folder;
  std::string error = file_error_of([&] { cifar10(folder / ""); });
  expect_says(error, "no training images of CIFAR-10");
  expect_says(error, "data_batch_1.bin");
}

TEST(Cifar10, damaged_files_are_refused) {
  TemporaryFolder folder;
  io::write_file(folder / "data_batch_1.bin", cifar_record(3, 'a').substr(1));
  expect_says(file_error_of([&] { cifar10(folder / ""); }), "has 3072 bytes");
  io::write_file(folder / "data_batch_1.bin", cifar_record(3, 'a') + cifar_record(10, 'a'));
  expect_says(file_error_of([&] { cifar10(folder / ""); }), "the label of image 1 is 10");
  io::write_file(folder / "data_batch_1.bin", cifar_record(3, 'a'));
  io::write_file(folder / "batches.meta.txt", "one\ntwo\n");
  expect_says(file_error_of([&] { cifar10(folder / ""); }), "names 2 classes");
}

TEST(Cifar100, has_fine_labels) {
  TemporaryFolder folder;
  io::write_file(folder / "train.bin", std::string(1, 5) + cifar_record(99, 'a'));
  Splits splits = cifar100(folder / "");
  EXPECT_EQ(splits.train.labels, std::vector<int64_t>{99});
  EXPECT_EQ(splits.train.image(0).data<uint8_t>()[0], 'a');
  expect_says(splits.test.notes, "test.bin");
}

TEST(ImageDataset, parts_that_do_not_fit_are_refused) {
  ImageDataset d{Array::empty({2, 1, 2, 2}, DType::uint8), {0, 1}, {"a", "b"}, "", ""};
  EXPECT_NO_THROW(d.check());
  EXPECT_THROW(d.image(2), IndexError);
  d.labels = {0, 2};
  EXPECT_THROW(d.check(), ValueError);
  d.labels = {0};
  EXPECT_THROW(d.check(), ShapeError);
  d = {Array::empty({2, 1, 2, 2}, DType::int64), {0, 1}, {"a", "b"}, "", ""};
  EXPECT_THROW(d.check(), DTypeError);
}

}  // namespace
}  // namespace espalier::data
