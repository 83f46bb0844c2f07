#include <espalier/io/safetensors.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

#include <temporary_folder.h>

namespace espalier::io {
namespace {

const std::string kGolden = "io/golden/";
const std::string kOddName = "a \"quoted\" \\ name\n\u00e9\U0001f600";

template <class T>
Array array(const Shape& shape, const std::vector<T>& values) {
  Array a = Array::empty(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), a.data<T>());
  return a;
}

BFloat16 bfloat16_bits(uint16_t bits) {
  BFloat16 b;
  b.bits = bits;
  return b;
}

Array flags(const std::vector<bool>& values) {
  Array a = Array::empty({static_cast<int64_t>(values.size())}, boolean);
  std::copy(values.begin(), values.end(), a.data<bool>());
  return a;
}

std::vector<NamedArray> all_dtypes() {
  float inf = std::numeric_limits<float>::infinity();
  return {{"zeta", array<float>({2, 3}, {0, 1, -2, 3.5, 1e-3f, inf})},
          {"alpha", array<float>({1}, {7})},
          {"double", array<double>({2}, {0.1, -0.0})},
          {"brain", array<BFloat16>({3}, {1, -2, bfloat16_bits(0x7fc1)})},
          {"long",
           array<int64_t>({2}, {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})},
          {"int", array<int32_t>({2}, {-1, 5})},
          {"byte", array<uint8_t>({3}, {0, 127, 255})},
          {"flag", flags({true, false})},
          {"scalar", array<int64_t>({}, {42})},
          {"empty", array<float>({0, 3}, {})},
          {kOddName, array<uint8_t>({1}, {'x'})}};
}

void expect_same(const Array& a, const Array& b) {
  ASSERT_EQ(a.dtype, b.dtype);
  ASSERT_EQ(a.shape, b.shape);
  if (a.numel() == 0) return;
  EXPECT_EQ(std::memcmp(a.data(), b.data(), static_cast<size_t>(a.bytes())), 0);
}

const Array& find(const Safetensors& file, const std::string& name) {
  for (const auto& a : file.arrays) {
    if (a.name == name) return a.array;
  }
  throw ValueError("no " + name);
}

std::string with_header(const std::string& header, size_t data_bytes) {
  uint64_t length = header.size();
  return std::string(reinterpret_cast<char*>(&length), sizeof length) + header +
         std::string(data_bytes, '\0');
}

SafetensorsHeader parse(const std::string& file) { return parse_safetensors(std::as_bytes(std::span(file))); }

// The error that a file with this content gives, read from the disk.
std::string error_for(const std::string& content) {
  TemporaryFolder folder;
  write_file(folder / "x", content);
  try {
    read_safetensors(folder / "x");
  } catch (const FileError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Safetensors, writes_the_bytes_of_the_reference_implementation) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", all_dtypes(), {{"format", "pt"}});
  EXPECT_EQ(read_file(folder / "x"), read_file(kGolden + "all_dtypes.safetensors"));
  write_safetensors(folder / "x", std::vector<NamedArray>{});
  EXPECT_EQ(read_file(folder / "x"), read_file(kGolden + "nothing.safetensors"));
}

TEST(Safetensors, reads_what_the_reference_implementation_wrote) {
  Safetensors file = read_safetensors(kGolden + "all_dtypes.safetensors");
  EXPECT_EQ(file.metadata, (Metadata{{"format", "pt"}}));
  EXPECT_EQ(file.arrays.size(), all_dtypes().size());
  EXPECT_EQ(file.arrays.front().name, "long");
  for (const auto& [name, values] : all_dtypes()) expect_same(find(file, name), values);
}

TEST(Safetensors, keeps_aligned_values_in_the_mapped_file) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", all_dtypes());
  SafetensorsFile file(folder / "x");
  Array zeta = file.array("zeta");
  auto entry = std::ranges::find(file.entries(), "zeta", &SafetensorsEntry::name);
  EXPECT_EQ(zeta.data(), file.bytes(*entry).data());
}

TEST(Safetensors, arrays_outlive_the_open_file_and_its_replacement) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", {{"w", array<float>({2}, {1, 2})}});
  Array w = SafetensorsFile(folder / "x").array("w");
  w.data<float>()[0] = 3;
  write_safetensors(folder / "x", {{"w", w}});
  expect_same(find(read_safetensors(folder / "x"), "w"), array<float>({2}, {3, 2}));
}

TEST(Safetensors, writes_arrays_of_any_strides_in_row_major_order) {
  TemporaryFolder folder;
  Array a = array<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  write_safetensors(folder / "x", {{"t", a.view({3, 2}, {1, 3}, 0)}, {"row", a.view({3}, {1}, 3)}});
  Safetensors file = read_safetensors(folder / "x");
  expect_same(find(file, "t"), array<float>({3, 2}, {1, 4, 2, 5, 3, 6}));
  expect_same(find(file, "row"), array<float>({3}, {4, 5, 6}));
}

TEST(Safetensors, copies_values_that_are_not_aligned) {
  std::string content = with_header(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                    R"("w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
                                    1);
  content += std::string("\0\0\x80\x3f", 4);
  TemporaryFolder folder;
  write_file(folder / "x", content);
  expect_same(SafetensorsFile(folder / "x").array("w"), array<float>({1}, {1}));
}

TEST(Safetensors, any_byte_but_zero_is_true) {
  TemporaryFolder folder;
  write_file(folder / "x", with_header(R"({"b":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 0) +
                               "\x07" + std::string(1, '\0'));
  expect_same(find(read_safetensors(folder / "x"), "b"), flags({true, false}));
}

TEST(Safetensors, gives_other_types_as_wider_ones_and_names_those_that_have_none) {
  SafetensorsFile file(kGolden + "float16.safetensors");
  ASSERT_EQ(file.entries().size(), 2u);
  EXPECT_EQ(file.entries()[1].dtype->name, "float16");
  EXPECT_EQ(file.array("half").dtype, float32);
  TemporaryFolder folder;
  write_file(folder / "x", with_header(R"({"c":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8));
  try {
    SafetensorsFile(folder / "x").array("c");
    FAIL();
  } catch (const DTypeError& e) {
    EXPECT_NE(std::string(e.what()).find("tensor 'c' is of type complex64"), std::string::npos) << e.what();
  }
}

TEST(Safetensors, gives_a_dropped_name_the_storage_of_what_was_kept) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", {{"encoder.weight", array<float>({1}, {5})}},
                    {{"format", "pt"}, {"decoder.weight", "encoder.weight"}});
  Safetensors file = read_safetensors(folder / "x");
  ASSERT_EQ(file.arrays.size(), 2u);
  EXPECT_EQ(file.arrays[1].name, "decoder.weight");
  EXPECT_EQ(file.arrays[1].array.storage, file.arrays[0].array.storage);
  EXPECT_NO_THROW(SafetensorsFile(folder / "x").array("decoder.weight"));
}

TEST(Safetensors, a_name_that_is_not_there_is_an_error) {
  SafetensorsFile file(kGolden + "nothing.safetensors");
  EXPECT_TRUE(file.entries().empty());
  EXPECT_THROW(file.array("w"), FileError);
}

TEST(Safetensors, does_not_write_names_that_can_not_be_read_back) {
  TemporaryFolder folder;
  Array w = array<float>({1}, {1});
  EXPECT_THROW(write_safetensors(folder / "x", {{"__metadata__", w}}), ValueError);
  EXPECT_THROW(write_safetensors(folder / "x", {{"w", w}, {"w", w}}), ValueError);
  EXPECT_THROW(write_safetensors(folder / "x", {{"\xff", w}}), ValueError);
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

TEST(Safetensors, does_not_write_a_header_that_nobody_reads) {
  TemporaryFolder folder;
  Metadata metadata{{"long", std::string(100'000'000, 'x')}};
  EXPECT_THROW(write_safetensors(folder / "x", {{"w", array<float>({1}, {1})}}, metadata), ValueError);
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

TEST(Safetensors, accepts_all_that_the_format_allows) {
  EXPECT_EQ(parse(with_header(R"({"__metadata__":{"a":"b"}})", 0)).metadata.at("a"), "b");
  EXPECT_TRUE(parse(with_header("{}", 0)).entries.empty());
  auto header =
      parse(with_header("  \n{ \"s\" : {\"shape\": [], \"data_offsets\":[0, 4], \"dtype\":\"F32\"},\n"
                        R"("z": {"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},)"
                        R"("f": {"dtype":"F4","shape":[2,3],"data_offsets":[4,7]}}  )",
                        7));
  ASSERT_EQ(header.entries.size(), 3u);
  EXPECT_EQ(header.entries[0].shape, Shape());
  EXPECT_EQ(header.entries[1].shape, Shape({3, 0}));
  EXPECT_EQ(header.entries[2].dtype->code, "F4");
}

TEST(Safetensors, accepts_data_in_another_order_than_the_names) {
  auto header = parse(with_header(R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                  3));
  EXPECT_EQ(header.entries[0].name, "b");
}

TEST(Safetensors, an_error_names_the_file) {
  EXPECT_NE(error_for("short").find("/x': it has 5 bytes, too few"), std::string::npos) << error_for("short");
}

TEST(Safetensors, an_error_shows_no_control_characters_and_no_endless_names) {
  std::string error = error_for(with_header("{\"\\u001b[31m" + std::string(5000, 'n') + "\":1}", 0));
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_LT(error.size(), 400u);
}

struct Bad {
  std::string name, content, message;
};

std::string one_tensor(const std::string& fields, size_t data_bytes) {
  return with_header(R"({"w":{)" + fields + "}}", data_bytes);
}

class BadSafetensors : public testing::TestWithParam<Bad> {};

TEST_P(BadSafetensors, is_refused) {
  std::string error = error_for(GetParam().content);
  EXPECT_NE(error.find(GetParam().message), std::string::npos) << error;
}

std::vector<Bad> header_length_faults() {
  auto length = [](uint64_t n) { return std::string(reinterpret_cast<char*>(&n), sizeof n); };
  return {
      {"no_bytes", "", "it has 0 bytes"},
      {"fewer_than_8_bytes", "1234567", "it has 7 bytes"},
      {"header_over_100_million_bytes", length(100'000'001) + "{}", "more than the 100000000"},
      {"header_length_of_all_ones", length(~uint64_t{0}) + "{}", "more than the 100000000"},
      {"header_longer_than_the_file", length(3) + "{}", "it is cut off"},
      {"header_of_no_bytes", length(0), "not JSON in UTF-8"},
  };
}

std::vector<Bad> json_faults() {
  std::string nested(100'000, '[');
  return {
      {"not_utf8", with_header("{\"__metadata__\":{\"a\":\"\xff\"}}", 0), "not JSON in UTF-8"},
      {"not_json", with_header("{\"w\":}", 0), "not JSON in UTF-8"},
      {"cut_json", with_header("{\"w\":{", 0), "not JSON in UTF-8"},
      {"junk_behind_json", with_header("{}x", 0), "not JSON in UTF-8"},
      {"second_object", with_header("{}{}", 0), "not JSON in UTF-8"},
      {"zero_byte_behind_json", with_header(std::string("{}\0", 3), 0), "zero byte"},
      {"byte_order_mark", with_header("\xef\xbb\xbf{}", 0), "byte order mark"},
      {"comment", with_header("{/**/}", 0), "not JSON in UTF-8"},
      {"lone_surrogate", with_header(R"({"__metadata__":{"a":"\ud800"}})", 0), "not JSON in UTF-8"},
      {"top_is_a_list", with_header("[]", 0), "it is a list, it must be an object"},
      {"top_is_null", with_header("null", 0), "it is null"},
      {"deep_nesting", with_header(nested, 0), "it must be an object"},
      {"deep_nesting_in_a_shape", one_tensor("\"shape\":" + nested, 0), "'shape' holds a list"},
      {"tensor_is_a_list", with_header(R"({"w":["F32",[1],[0,4]]})", 4),
       "'w' is a list, it must be an object"},
      {"name_twice",
       with_header(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                   R"("\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                   0),
       "the name 'w' stands there twice"},
      {"field_twice", one_tensor(R"("dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0])", 0),
       "the name 'dtype' stands there twice"},
      {"unknown_field", one_tensor(R"("dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1)", 0),
       "'x' is not a field"},
  };
}

std::vector<Bad> field_faults() {
  return {
      {"no_dtype", one_tensor(R"("shape":[0],"data_offsets":[0,0])", 0), "'dtype' is missing"},
      {"no_shape", one_tensor(R"("dtype":"U8","data_offsets":[0,0])", 0), "'shape' is missing"},
      {"no_offsets", one_tensor(R"("dtype":"U8","shape":[0])", 0), "'data_offsets' is missing"},
      {"unknown_dtype", one_tensor(R"("dtype":"F31","shape":[0],"data_offsets":[0,0])", 0),
       "'F31' is not an element type"},
      {"dtype_is_a_number", one_tensor(R"("dtype":1,"shape":[0],"data_offsets":[0,0])", 0),
       "'dtype' holds a number"},
      {"dtype_is_a_list", one_tensor(R"("dtype":["U8"],"shape":[0],"data_offsets":[0,0])", 0),
       "'dtype' holds a list"},
      {"shape_is_a_text", one_tensor(R"("dtype":"U8","shape":"0","data_offsets":[0,0])", 0),
       "'shape' holds a text"},
      {"shape_is_null", one_tensor(R"("dtype":"U8","shape":null,"data_offsets":[0,0])", 0),
       "'shape' holds null"},
      {"negative_size", one_tensor(R"("dtype":"U8","shape":[-1],"data_offsets":[0,0])", 0),
       "a negative number"},
      {"minus_zero", one_tensor(R"("dtype":"U8","shape":[-0],"data_offsets":[0,0])", 0), "a negative number"},
      {"fraction", one_tensor(R"("dtype":"U8","shape":[1.0],"data_offsets":[0,1])", 1), "a fraction"},
      {"exponent", one_tensor(R"("dtype":"U8","shape":[1e0],"data_offsets":[0,1])", 1), "a fraction"},
      {"over_64_bits", one_tensor(R"("dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0])", 0),
       "a number over 64 bits"},
      {"over_63_bits", one_tensor(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0])", 0),
       "too large"},
      {"one_offset", one_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0])", 1), "holds 1 numbers"},
      {"three_offsets", one_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1,2])", 1),
       "holds 3 numbers"},
      {"nine_dimensions", one_tensor(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])", 1),
       "more than 8 dimensions"},
      {"metadata_number", with_header(R"({"__metadata__":{"a":1}})", 0), "__metadata__: 'a' is a number"},
      {"metadata_object", with_header(R"({"__metadata__":{"a":{}}})", 0), "__metadata__: 'a' is an object"},
      {"metadata_null", with_header(R"({"__metadata__":null})", 0), "'__metadata__' is null"},
      {"metadata_name_twice", with_header(R"({"__metadata__":{"a":"1","a":"2"}})", 0),
       "the name 'a' stands there twice"},
      {"metadata_twice", with_header(R"({"__metadata__":{},"__metadata__":{}})", 0), "stands there twice"},
  };
}

std::vector<Bad> layout_faults() {
  auto two = [](const std::string& a, const std::string& b, size_t data_bytes) {
    return with_header(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
                           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}",
                       data_bytes);
  };
  return {
      {"overlap", two("[0,2]", "[1,3]", 3), "tensor 'b': its data lie at 1 to 3, they should begin at 2"},
      {"same_bytes_twice", two("[0,2]", "[0,2]", 2), "they should begin at 2"},
      {"hole", two("[0,2]", "[3,5]", 5), "they should begin at 2"},
      {"first_not_at_zero", one_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[1,2])", 2),
       "should begin at 0"},
      {"end_before_begin",
       one_tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1]},"v":{"dtype":"U8","shape":[0],)"
                  R"("data_offsets":[1,0])",
                  1),
       "tensor 'v': its data lie at 1 to 0"},
      {"shape_product_overflow",
       one_tensor(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0), "is too large"},
      {"bits_overflow", one_tensor(R"("dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,0])", 0),
       "too large"},
      {"overflow_hidden_by_a_zero",
       one_tensor(R"("dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0])", 0),
       "is too large"},
      {"half_a_byte", one_tensor(R"("dtype":"F4","shape":[3],"data_offsets":[0,1])", 1),
       "not a whole number of bytes"},
      {"size_and_offsets_differ", one_tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4),
       "take 8 bytes, its data_offsets give 4"},
      {"data_cut_off", one_tensor(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", 3),
       "it is cut off: there are 3 bytes of data, its header speaks of 4"},
      {"bytes_behind_the_data", one_tensor(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", 5),
       "there are 1 bytes behind the last"},
      {"data_without_tensors", with_header("{}", 1), "there are 1 bytes behind the last"},
  };
}

std::string case_name(const testing::TestParamInfo<Bad>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(header_length, BadSafetensors, testing::ValuesIn(header_length_faults()), case_name);
INSTANTIATE_TEST_SUITE_P(json, BadSafetensors, testing::ValuesIn(json_faults()), case_name);
INSTANTIATE_TEST_SUITE_P(fields, BadSafetensors, testing::ValuesIn(field_faults()), case_name);
INSTANTIATE_TEST_SUITE_P(layout, BadSafetensors, testing::ValuesIn(layout_faults()), case_name);

}  // namespace
}  // namespace espalier::io
