#include <espalier/io/quantizer.h>

#include <cstring>

#include <gmock/gmock.h>

#include <espalier/core/error.h>
#include <espalier/io/npy.h>
#include <espalier/io/weights.h>

#include <error_of.h>
#include <temporary_folder.h>

#include "torch_maker.h"

namespace espalier::io {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::string pickle_real(double r) {
  std::string big = little(r);
  return "G" + std::string(big.rbegin(), big.rend());
}

// A file of one quantised tensor, {"w": …} of shape [2, 3], beside storages 1 and 2 of two float64 and int64.
struct Made {
  std::string parameters;
  TensorMade tensor{.storage = "QInt8Storage"};

  std::string bytes() const {
    std::string w = tensor.pickle();
    w.replace(w.find("_rebuild_tensor_v2"), 18, "_rebuild_qtensor");
    w.insert(w.rfind("\x89"), parameters);
    ZipMade zip = torch_zip(pickle_dict("w", w), std::string({'\0', '\1', '\2', '\x80', '\xff', '\x7f'}));
    zip.entries.push_back({.name = "x/data/1", .data = little(0.5) + little(0.25)});
    zip.entries.push_back({.name = "x/data/2", .data = u64(1) + u64(~uint64_t{0})});
    return zip.bytes();
  }
};

std::string scheme(const char* name) { return concat("ctorch\n", name, "\n"); }

std::string slices(const char* key, const char* storage, std::vector<int64_t> shape = {2},
                   std::vector<int64_t> strides = {1}) {
  return TensorMade{.shape = shape, .strides = strides, .elements = 2, .key = key, .storage = storage}
      .pickle();
}

const std::string kScales = slices("1", "DoubleStorage"), kZeros = slices("2", "LongStorage");
const Made kWhole{"(" + scheme("per_tensor_affine") + pickle_real(0.5) + pickle_int(-3) + "t"};
const Made kSliced{"(" + scheme("per_channel_affine") + kScales + kZeros + pickle_int(0) + "t"};

TorchFile read(const std::string& bytes) {
  auto copy = std::make_shared<std::string>(bytes);
  return TorchFile(MappedFile{copy, std::as_writable_bytes(std::span(*copy))});
}

std::vector<float> values(const StoredTensor& t) {
  Array a = dequantize(t);
  return {a.data<float>(), a.data<float>() + a.numel()};
}

TEST(Quantizer, of_a_whole_tensor_is_read_and_written) {
  TemporaryFolder folder;
  TorchFile file = read(kWhole.bytes());
  write_pytorch(folder / "x.pt", file.tree());
  for (const StoredTensor& t : {file.tensors().at(0), TorchFile(folder / "x.pt").tensors().at(0)}) {
    EXPECT_EQ(t.type->name, "qint8");
    ASSERT_TRUE(t.quantizer);
    EXPECT_EQ(to_string(*t.quantizer), "scale 0.5, zero point -3");
    EXPECT_THAT(values(t), ElementsAre(1.5, 2, 2.5, -62.5, 1, 65));
  }
}

TEST(Quantizer, of_the_slices_of_a_tensor_is_read_and_written) {
  TemporaryFolder folder;
  TorchFile file = read(kSliced.bytes());
  write_pytorch(folder / "x.pt", file.tensors());
  for (const StoredTensor& t : {file.tensors().at(0), TorchFile(folder / "x.pt").tensors().at(0)}) {
    ASSERT_TRUE(t.quantizer);
    EXPECT_EQ(t.quantizer->axis, 0);
    EXPECT_THAT(scales(*t.quantizer), ElementsAre(0.5, 0.25));
    EXPECT_THAT(zero_points(*t.quantizer), ElementsAre(1, -1));
    EXPECT_THAT(values(t), ElementsAre(-0.5, 0, 0.5, -31.75, 0, 32));
    EXPECT_TRUE(*t.quantizer == *file.tensors()[0].quantizer);
  }
}

TEST(Quantizer, is_not_lost_in_silence) {
  TemporaryFolder folder;
  TorchFile file = read(kWhole.bytes());
  auto& tensors = file.tensors();
  EXPECT_THAT(error_of([&] { to_array(tensors[0]); }), HasSubstr("'w' is quantised (qint8)"));
  EXPECT_THAT(error_of([&] { write_safetensors(folder / "x", tensors); }),
              HasSubstr("safetensors has no quantised tensors such as 'w'"));
  EXPECT_THAT(error_of([&] { write_npz(folder / "x", tensors); }),
              HasSubstr("NumPy has no quantised tensors"));
  StoredTensor bare = tensors[0];
  bare.quantizer = nullptr;
  EXPECT_THAT(error_of([&] { write_pytorch(folder / "x", std::vector{bare}); }),
              HasSubstr("can't be written"));
  EXPECT_THAT(error_of([&] { dequantize(bare); }), HasSubstr("has no scale and zero point"));
}

TEST(Quantizer, that_does_not_fit_its_tensor_is_refused) {
  auto per_channel = [](const std::string& scales, const std::string& zeros, int64_t axis) {
    return Made{"(" + scheme("per_channel_affine") + scales + zeros + pickle_int(axis) + "t"};
  };
  Made bad[] = {
      {""},
      {"()t"},
      {"(" + scheme("strided") + pickle_real(1) + pickle_int(0) + "t"},
      {"(" + scheme("per_tensor_affine") + pickle_int(1) + pickle_int(0) + "t"},
      {"(" + scheme("per_tensor_affine") + pickle_real(1) + pickle_real(0) + "t"},
      {kWhole.parameters, {.elements = 1, .storage = "FloatStorage"}},
      per_channel(kScales, kZeros, 1),
      per_channel(kScales, kZeros, 2),
      per_channel(kScales, kZeros, -1),
      per_channel("N", kZeros, 0),
      per_channel(kScales, "N", 0),
      per_channel(kScales, slices("2", "LongStorage", {1}), 0),
      per_channel(kScales, slices("2", "LongStorage", {2, 1}, {1, 1}), 0),
      per_channel(kScales, slices("2", "ComplexFloatStorage"), 0),
  };
  for (const Made& made : bad) EXPECT_THROW(read(made.bytes()), FileError) << printable(made.parameters);
}

TEST(Quantizer, of_endless_slices_is_refused) {
  constexpr int64_t kMany = int64_t{1} << 40;
  Made made = kSliced;
  made.parameters = "(" + scheme("per_channel_affine") + slices("1", "DoubleStorage", {kMany}, {0}) +
                    slices("2", "LongStorage", {kMany}, {0}) + pickle_int(0) + "t";
  made.tensor.shape = {kMany, 0};
  EXPECT_THAT(error_of([&] { read(made.bytes()); }), HasSubstr("expand"));
}

}  // namespace
}  // namespace espalier::io
