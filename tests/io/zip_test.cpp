#include <espalier/io/zip.h>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>

#include <temporary_folder.h>

#include "zip_maker.h"

namespace espalier::io {
namespace {

using testing::HasSubstr;

std::string text_of(const ZipFile& zip, const std::string& name) {
  std::string buffer;
  auto bytes = zip.read(*zip.find(name), buffer);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads all that is in an archive; the message where it is refused.
std::string refusal(const std::string& bytes) {
  try {
    ZipFile zip(as_bytes(bytes));
    for (const auto& e : zip.entries()) text_of(zip, e.name);
    return "";
  } catch (const FileError& e) {
    return e.what();
  }
}

ZipMade two() { return {{{.name = "a/x", .data = "first"}, {.name = "a/y", .data = "second"}}}; }

TEST(Zip, reads_stored_and_packed_entries) {
  ZipMade made = two();
  made.entries.push_back(
      {.name = "z", .data = deflate_stored("packed"), .method = 8, .crc = crc32_of("packed"), .size = 6});
  std::string bytes = made.bytes();
  ZipFile zip(as_bytes(bytes));
  EXPECT_EQ(zip.entries().size(), 3u);
  EXPECT_EQ(text_of(zip, "a/x"), "first");
  EXPECT_EQ(text_of(zip, "a/y"), "second");
  EXPECT_EQ(text_of(zip, "z"), "packed");
  EXPECT_EQ(zip.find("b"), nullptr);
}

TEST(Zip, reads_directories_of_64_bits_and_empty_archives) {
  ZipMade made = two();
  made.zip64 = true;
  EXPECT_EQ(refusal(made.bytes()), "");
  EXPECT_EQ(refusal(ZipMade().bytes()), "");
}

TEST(Zip, reads_sizes_of_64_bits) {
  std::string data = "first", extra = u16(1) + u16(16) + u64(5) + u64(5);
  std::string fields = u16(0) + u16(0) + u32(0) + u32(crc32_of(data)) + u32(~0u) + u32(~0u) + u16(1);
  std::string local = "PK\3\4" + u16(45) + fields + u16(20) + "x" + extra + data;
  std::string central = "PK\1\2" + u16(45) + u16(45) + fields + u16(20) + u16(0) + u16(0) + u16(0) + u32(0) +
                        u32(0) + "x" + extra;
  std::string bytes = local + central + "PK\5\6" + u32(0) + u16(1) + u16(1) + u32(central.size()) +
                      u32(local.size()) + u16(0);
  ZipFile zip(as_bytes(bytes));
  EXPECT_EQ(text_of(zip, "x"), "first");
}

TEST(Zip, trusts_the_directory_where_the_header_before_the_data_has_no_sizes) {
  std::string bytes = two().bytes();
  bytes.replace(6, 2, u16(8));
  bytes.replace(14, 12, std::string(12, '\0'));
  EXPECT_EQ(refusal(bytes), "");
}

TEST(Zip, refuses_what_is_cut_off_at_any_byte) {
  std::string bytes = two().bytes();
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_NE(refusal(bytes.substr(0, n)), "") << n;
}

TEST(Zip, never_reads_outside_whatever_byte_is_changed) {
  ZipMade made = two();
  made.zip64 = true;
  std::string bytes = made.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string wrong = bytes;
      wrong[i] = static_cast<char>(wrong[i] ^ 1 << bit);
      refusal(wrong);
    }
  }
}

TEST(Zip, refuses_bytes_before_and_behind) {
  EXPECT_NE(refusal("x" + two().bytes()), "");
  EXPECT_NE(refusal(two().bytes() + "x"), "");
}

TEST(Zip, searches_its_end_no_further_than_a_comment_can_be_long) {
  std::string bytes = two().bytes();
  bytes.replace(bytes.size() - 2, 2, u16(0xffff));
  EXPECT_EQ(refusal(bytes + std::string(0xffff, 'c')), "");
  EXPECT_THAT(refusal(bytes + std::string(0x10000, 'c')), HasSubstr("its end is missing"));
}

TEST(Zip, refuses_damaged_data) {
  ZipMade made = two();
  made.entries[1].crc = 0;
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("'a/y' is damaged"));
}

TEST(Zip, refuses_another_name_before_the_data) {
  ZipMade made = two();
  made.entries[0].local_name = "a/w";
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("another name"));
}

TEST(Zip, refuses_encryption) {
  for (int bit : {0, 6, 13}) {
    ZipMade made = two();
    made.entries[0].flags = static_cast<uint16_t>(1 << bit);
    EXPECT_THAT(refusal(made.bytes()), HasSubstr("encrypted"));
  }
  std::string bytes = two().bytes();
  bytes.replace(6, 2, u16(1));  // before the data only
  EXPECT_NE(refusal(bytes), "");
}

TEST(Zip, refuses_unknown_methods_and_other_disks) {
  ZipMade made = two();
  made.entries[0].method = 14;
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("method 14"));
  made = two();
  made.entries[0].disk = 3;
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("disk"));
  for (bool zip64 : {false, true}) {
    made = two();
    made.zip64 = zip64;
    std::string bytes = made.bytes();
    bytes.replace(zip64 ? bytes.size() - 26 : bytes.size() - 18, 4, u32(2));
    EXPECT_THAT(refusal(bytes), HasSubstr("several disks"));
  }
}

TEST(Zip, refuses_more_entries_than_any_file_of_weights_has) {
  ZipMade made = two();
  made.zip64 = true;
  std::string bytes = made.bytes(), count = u64(2) + u64(2), many = u64(1 << 20 | 1);
  bytes.replace(bytes.find(count, bytes.find("PK\6\6")), 16, many + many);
  EXPECT_THAT(refusal(bytes), HasSubstr("it holds 1048577 entries"));
}

TEST(Zip, refuses_names_that_leave_their_folder_and_names_used_twice) {
  for (std::string path : {"", "/etc/x", "../x", "a/../../x", "a\\x", "..", "a?b"}) {
    std::ranges::replace(path, '?', '\0');
    EXPECT_THAT(refusal(ZipMade{{{.name = path, .data = "x"}}}.bytes()), HasSubstr("leads out")) << path;
  }
  EXPECT_EQ(refusal(ZipMade{{{.name = "a..b/x", .data = "x"}}}.bytes()), "");
  EXPECT_THAT(refusal(ZipMade{{{.name = "x", .data = "1"}, {.name = "x", .data = "2"}}}.bytes()),
              HasSubstr("two entries 'x'"));
}

TEST(Zip, refuses_entries_that_share_bytes) {
  ZipMade made = two();
  made.change = [](std::string& directory) {
    size_t second = directory.rfind("PK\1\2");
    std::string first = directory.substr(0, second);
    directory.replace(second, std::string::npos, first);
    directory.replace(second + 46, 3, "a/x");
  };
  EXPECT_NE(refusal(made.bytes()), "");
  made.change = [](std::string& directory) { directory.replace(20, 8, u32(30) + u32(30)); };
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("reaches into"));
}

TEST(Zip, refuses_bombs) {
  ZipMade made = two();
  made.entries[0] = {.name = "x", .data = deflate_stored("x"), .method = 8, .size = 0x7fffffffu};
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("of memory"));
  made.entries[0].size = 5;  // more than there is
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("can't be unpacked"));
  made.entries[0].size = 0;  // less
  EXPECT_THAT(refusal(made.bytes()), HasSubstr("can't be unpacked"));
}

TEST(Zip, writes_aligned_entries_that_it_reads) {
  TemporaryFolder folder;
  AtomicFile file(folder / "x.zip");
  ZipWriter writer(file);
  writer.add("a/one", std::string_view("1"));
  writer.add("a/two", std::string(100, 't'));
  writer.add("a/none", std::string_view());
  writer.finish();
  file.commit();
  std::string bytes = read_file(folder / "x.zip");
  ZipFile zip(as_bytes(bytes));
  for (const auto& e : zip.entries()) EXPECT_EQ(e.offset % 64, 0);
  EXPECT_EQ(text_of(zip, "a/two"), std::string(100, 't'));
  EXPECT_EQ(text_of(zip, "a/none"), "");
}

}  // namespace
}  // namespace espalier::io
