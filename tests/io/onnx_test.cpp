#include <espalier/io/onnx.h>

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>

#include <espalier/core/error.h>
#include <espalier/io/protobuf.h>
#include <espalier/io/weights.h>

#include <temporary_folder.h>
#include "zip_maker.h"

namespace espalier::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string varint(uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
  return out + static_cast<char>(v);
}
std::string number(uint64_t field, uint64_t v) { return varint(field << 3) + varint(v); }
std::string bytes(uint64_t field, const std::string& b) {
  return varint(field << 3 | 2) + varint(b.size()) + b;
}
std::string floats(const std::vector<float>& v) {
  return std::string(reinterpret_cast<const char*>(v.data()), 4 * v.size());
}
std::string entry(const std::string& key, const std::string& value) {
  return bytes(13, bytes(1, key) + bytes(2, value));
}

std::string dims(const std::vector<uint64_t>& shape) {
  std::string out;
  for (uint64_t d : shape) out += number(1, d);
  return out;
}
std::string tensor(const std::string& values, uint64_t type = 1, const std::vector<uint64_t>& shape = {2}) {
  return dims(shape) + number(2, type) + bytes(8, "w") + values;
}
std::string model(const std::string& graph) { return number(1, 8) + bytes(2, "test") + bytes(7, graph); }
std::string model_of(const std::string& values, uint64_t type = 1, const std::vector<uint64_t>& shape = {2}) {
  return model(bytes(5, tensor(values, type, shape)));
}

struct Read {
  std::vector<StoredTensor> tensors;
  std::vector<std::string> remarks;
};
Read read(const std::string& content, const OpenData& open = {}) {
  auto copy = std::make_shared<std::string>(content);
  Read out;
  out.tensors = parse_onnx({copy, std::as_writable_bytes(std::span(*copy))}, open, out.remarks);
  return out;
}
template <class T>
std::vector<T> values(const std::string& content) {
  Array a = to_array(read(content).tensors.at(0));
  EXPECT_EQ(a.dtype, dtype_of<T>());
  return std::vector<T>(a.data<T>(), a.data<T>() + a.numel());
}
std::string error_of(const std::string& content, const OpenData& open = {}) {
  try {
    read(content, open);
  } catch (const FileError& e) {
    return e.what();
  }
  return "no error";
}

const std::string kRaw = bytes(9, floats({1, 2}));

TEST(Onnx, reads_the_initialisers_of_a_model) {
  Read r = read(model_of(kRaw));
  ASSERT_EQ(r.tensors.size(), 1u);
  EXPECT_EQ(r.tensors[0].name, "w");
  EXPECT_EQ(r.tensors[0].shape, (Shape{2}));
  EXPECT_THAT(values<float>(model_of(kRaw)), ElementsAre(1, 2));
}

TEST(Onnx, reads_values_in_every_form) {
  EXPECT_THAT(values<float>(model_of(bytes(4, floats({1, 2})))), ElementsAre(1, 2));
  EXPECT_THAT(values<float>(model_of(varint(4 << 3 | 5) + floats({1}) + varint(4 << 3 | 5) + floats({2}))),
              ElementsAre(1, 2));
  EXPECT_THAT(values<int32_t>(model_of(number(5, 3) + number(5, ~0ull), 6)), ElementsAre(3, -1));
  EXPECT_THAT(values<int64_t>(model_of(bytes(7, varint(3) + varint(~0ull)), 7)), ElementsAre(3, -1));
  EXPECT_THAT(values<double>(model_of(bytes(10, std::string(16, '\0')), 11)), ElementsAre(0, 0));
  EXPECT_THAT(values<float>(model_of(bytes(5, varint(0x3c00) + varint(0xc000)), 10)), ElementsAre(1, -2));
  EXPECT_THAT(values<int64_t>(model_of(bytes(11, varint(4294967295) + varint(1)), 12)),
              ElementsAre(4294967295, 1));
  EXPECT_THAT(values<bool>(model_of(bytes(5, varint(1) + varint(0)), 9)), ElementsAre(true, false));
}

TEST(Onnx, takes_the_element_type_from_behind_the_values) {
  std::string t = dims({2}) + bytes(7, varint(3) + varint(4)) + number(2, 7) + bytes(8, "w");
  EXPECT_THAT(values<int64_t>(model(bytes(5, t))), ElementsAre(3, 4));
}

TEST(Onnx, keeps_types_that_arrays_do_not_have) {
  Read r = read(model_of(bytes(9, "ab"), 22, {3}));  // two int4 in a byte
  EXPECT_EQ(r.tensors[0].type->name, "int4");
  EXPECT_EQ(r.tensors[0].bytes(), 2);
  EXPECT_THROW(to_array(r.tensors[0]), DTypeError);
}

TEST(Onnx, leaves_out_texts_and_sparse_tensors_and_says_so) {
  Read r = read(model(bytes(5, dims({2}) + number(2, 8) + bytes(8, "words") + bytes(6, "a") + bytes(6, "b")) +
                      bytes(15, "") + bytes(5, tensor(kRaw))));
  EXPECT_EQ(r.tensors.size(), 1u);
  EXPECT_EQ(r.remarks.size(), 2u);
}

TEST(Onnx, refuses_what_does_not_fit) {
  EXPECT_THAT(error_of(model_of(bytes(9, floats({1})))),
              HasSubstr("the tensor 'w': its shape [2] takes 8 bytes"));
  EXPECT_THAT(error_of(model_of("")), HasSubstr("there are 0"));
  EXPECT_THAT(error_of(model_of(kRaw, 99)), HasSubstr("its element type 99 is not known"));
  EXPECT_THAT(error_of(model_of(kRaw, 1, {~0ull})), HasSubstr("negative or too large"));
  EXPECT_THAT(error_of(model_of(kRaw, 1, {1ull << 62, 16})), HasSubstr("is too large"));
  EXPECT_THAT(error_of(model_of(kRaw, 1, std::vector<uint64_t>(9, 1))), HasSubstr("more than 8 dimensions"));
  EXPECT_THAT(error_of(model(bytes(5, tensor(kRaw)) + bytes(5, tensor(kRaw)))),
              HasSubstr("two of its tensors have the name 'w'"));
  EXPECT_THAT(error_of(model_of(number(9, 3))), HasSubstr("is of another kind"));
  EXPECT_THAT(error_of(model_of(bytes(3, "") + kRaw)), HasSubstr("a part of a tensor"));
}

TEST(Onnx, refuses_what_is_cut_off_or_no_message) {
  std::string whole = model_of(kRaw);
  for (size_t size = 1; size < whole.size(); ++size) {
    std::string part = whole.substr(0, size);
    EXPECT_FALSE(is_onnx(as_bytes(part)));
    if (size <= 8) continue;  // there is no graph yet
    EXPECT_NE(error_of(part), "no error") << size;
  }
  EXPECT_THAT(error_of(std::string(11, '\xff')), HasSubstr("more than 64 bits"));
  EXPECT_THAT(error_of("\x0b"), HasSubstr("of the kind 3"));
  EXPECT_THAT(error_of(std::string("\0\0", 2)), HasSubstr("the number 0"));
  EXPECT_THAT(error_of("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), HasSubstr("cut off"));
}

std::string model_with_data(const std::string& location, const std::string& more = "") {
  return model_of(number(14, 1) + entry("location", location) + more);
}

class OnnxData : public testing::Test {
 protected:
  OnnxData() {
    std::filesystem::create_directories(folder / "model/sub");
    write_file(folder / "model/data", "...." + floats({1, 2}) + "....");
    write_file(folder / "model/sub/data", floats({3, 4}));
    write_file(folder / "secret", floats({5, 6}));
  }
  std::string load(const std::string& content) {
    write_file(folder / "model/x.onnx", content);
    try {
      Array a = WeightsFile(folder / "model/x.onnx").array("w");
      return concat(a.data<float>()[0], " ", a.data<float>()[1]);
    } catch (const FileError& e) {
      return e.what();
    }
  }
  TemporaryFolder folder;
};

TEST_F(OnnxData, is_read_from_files_of_the_models_folder) {
  EXPECT_EQ(load(model_with_data("data", entry("offset", "4") + entry("length", "8"))), "1 2");
  EXPECT_EQ(load(model_with_data("sub/data")), "3 4");
}

TEST_F(OnnxData, is_never_read_from_elsewhere) {
  for (std::string location :
       {std::string("../secret"), std::string("sub/../../secret"), folder / "secret", std::string("./data"),
        std::string("sub//data"), std::string("..\\secret"), std::string("da\0ta", 5), std::string(),
        std::string("/"), std::string("sub/")})
    EXPECT_THAT(load(model_with_data(location)), HasSubstr("leads out of its folder")) << location;
  std::filesystem::create_symlink("../secret", folder / "model/link");
  std::filesystem::create_directory_symlink("..", folder / "model/up");
  std::filesystem::create_hard_link(folder / "secret", folder / "model/hard");
  EXPECT_THAT(load(model_with_data("link")), HasSubstr("links are not followed"));
  EXPECT_THAT(load(model_with_data("up/secret")), testing::Not(HasSubstr("5 6")));
  EXPECT_THAT(load(model_with_data("hard")), HasSubstr("has other names"));
  EXPECT_THAT(load(model_with_data("sub")), HasSubstr("a folder"));
}

TEST_F(OnnxData, must_lie_in_its_file) {
  EXPECT_THAT(load(model_with_data("data", entry("offset", "17"))), HasSubstr("begin at byte 17"));
  EXPECT_THAT(load(model_with_data("data", entry("offset", "12") + entry("length", "8"))),
              HasSubstr("beyond the end"));
  EXPECT_THAT(load(model_with_data("data", entry("offset", "-4"))), HasSubstr("which is no number"));
  EXPECT_THAT(load(model_with_data("data", entry("length", "4"))), HasSubstr("takes 8 bytes"));
  EXPECT_THAT(load(model_with_data("nothing")), HasSubstr("No such file"));
  EXPECT_THAT(load(model_of(number(14, 1))), HasSubstr("does not say where"));
  EXPECT_THAT(load(model_with_data("data", entry("location", "sub/data"))), HasSubstr("twice"));
}

TEST(Onnx, data_of_another_file_can_not_be_shared_without_end) {
  std::string data(1 << 20, 'x'), graph;
  for (int i = 0; i < 100; ++i) {
    graph += bytes(
        5, dims({1 << 18}) + number(2, 1) + bytes(8, concat(i)) + number(14, 1) + entry("location", "d"));
  }
  auto open = [&](const std::string&) {
    return MappedFile{nullptr, std::as_writable_bytes(std::span(data))};
  };
  EXPECT_THAT(error_of(model(graph), open), HasSubstr("share 'd' too often"));
}

TEST(Onnx, files_of_tensors_and_models_are_told_apart) {
  EXPECT_TRUE(is_onnx(as_bytes(model_of(kRaw))));
  EXPECT_TRUE(is_onnx_tensor(as_bytes(tensor(kRaw))));
  EXPECT_FALSE(is_onnx(as_bytes(tensor(kRaw))));
  EXPECT_FALSE(is_onnx(as_bytes("some text")));
  TemporaryFolder folder;
  write_file(folder / "input_0.pb", tensor(kRaw));
  WeightsFile file(folder / "input_0.pb");
  EXPECT_EQ(file.format(), "onnx-tensor");
  EXPECT_EQ(file.array("w").data<float>()[1], 2);
}

}  // namespace
}  // namespace espalier::io
