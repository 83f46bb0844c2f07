#include <espalier/io/npy.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/byte_reader.h>

#include <temporary_folder.h>

#include "zip_maker.h"

namespace espalier::io {
namespace {

using testing::HasSubstr;

std::string npy(const std::string& header, const std::string& data) {
  return "\x93NUMPY" + little(uint8_t{1}) + little(uint8_t{0}) + u16(header.size()) + header + data;
}

std::string header(const std::string& type, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }\n";
}

std::string refusal(const std::string& bytes) {
  try {
    parse_npy(as_bytes(bytes), nullptr);
    return "";
  } catch (const FileError& e) {
    return e.what();
  }
}

TEST(Npy, reads_both_orders_and_all_versions) {
  std::string data = u32(1) + u32(2) + u32(3) + u32(4) + u32(5) + u32(6), buffer;
  std::string rows = npy(header("<i4", "(2, 3)"), data), columns = npy(header("<i4", "(2, 3)", true), data);
  EXPECT_EQ(parse_npy(as_bytes(rows), nullptr).strides, Shape({3, 1}));
  StoredTensor t = parse_npy(as_bytes(columns), nullptr);
  EXPECT_EQ(t.strides, Shape({1, 2}));
  auto bytes = row_major_bytes(t, buffer);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
            u32(1) + u32(3) + u32(5) + u32(2) + u32(4) + u32(6));
  std::string text = header("<i4", "(6,)");
  std::string second = "\x93NUMPY" + little(uint8_t{2}) + little(uint8_t{0}) + u32(text.size()) + text + data;
  EXPECT_EQ(parse_npy(as_bytes(second), nullptr).shape, Shape({6}));
  EXPECT_EQ(refusal(npy(header("|u1", "()"), "x")), "");
  EXPECT_EQ(refusal(npy(header("<f2", "(0, 3)"), "")), "");
}

TEST(Npy, reads_big_endian_numbers) {
  std::string buffer, file = npy(header(">i4", "(2,)"), std::string("\0\0\0\1\0\0\0\2", 8));
  StoredTensor t = parse_npy(as_bytes(file), nullptr);
  EXPECT_EQ(t.type->name, "int32");
  EXPECT_EQ(as_text(row_major_bytes(t, buffer)), u32(1) + u32(2));
  EXPECT_THAT(refusal(npy(header(">U4", "(1,)"), u32(0))), HasSubstr("plain numbers"));
}

TEST(Npy, refuses_objects_and_texts) {
  EXPECT_THAT(refusal(npy(header("|O", "(1,)"), "\x80\4N.")), HasSubstr("Python objects"));
  EXPECT_THAT(refusal(npy(header("<U4", "(1,)"), u32(0))), HasSubstr("plain numbers"));
}

TEST(Npy, refuses_shapes_that_do_not_fit_the_data) {
  EXPECT_THAT(refusal(npy(header("<f4", "(2,)"), u32(0))), HasSubstr("takes 8 bytes, there are 4"));
  EXPECT_NE(refusal(npy(header("<f4", "(1,)"), u64(0))), "");
  EXPECT_NE(refusal(npy(header("<f4", "(-1,)"), u32(0))), "");
  EXPECT_THAT(refusal(npy(header("<f8", "(4611686018427387904, 4611686018427387904)"), "")),
              HasSubstr("too large"));
  EXPECT_THAT(refusal(npy(header("<f8", "(0, 4611686018427387904, 4611686018427387904)"), "")),
              HasSubstr("too large"));
  EXPECT_THAT(refusal(npy(header("<f8", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), u64(0))), HasSubstr("dimensions"));
}

TEST(Npy, refuses_damaged_headers) {
  for (std::string text :
       {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}",
        "{'descr': ['a'], 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
        "{'descr': '<f4', 'descr': '<f4', 'descr': '<f4'}"}) {
    EXPECT_NE(refusal(npy(text, u32(0))), "") << text;
  }
  std::string good = npy(header("<f4", "(1,)"), u32(0));
  for (size_t n = 0; n < good.size(); ++n) EXPECT_NE(refusal(good.substr(0, n)), "") << n;
}

TEST(Npy, writes_what_it_reads) {
  TemporaryFolder folder;
  Array a = Array::empty({3, 2}, float32);
  for (int i = 0; i < 6; ++i) a.data<float>()[i] = static_cast<float>(i);
  write_npy(folder / "x.npy", a.view({2, 3}, {1, 2}, 0));
  Array b = read_npy(folder / "x.npy");
  EXPECT_EQ(b.shape, Shape({2, 3}));
  EXPECT_EQ(b.data<float>()[1], 2);
  write_npz(folder / "x.npz", std::vector<NamedArray>{{"a", a}, {"none", Array::empty({0}, int64)}});
  auto both = read_npz(folder / "x.npz");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].name, "a");
  EXPECT_EQ(both[0].array.data<float>()[5], 5);
  EXPECT_EQ(both[1].array.shape, Shape({0}));
  EXPECT_THROW(write_npy(folder / "x.npy", Array::empty({1}, bfloat16)), DTypeError);
}

}  // namespace
}  // namespace espalier::io
