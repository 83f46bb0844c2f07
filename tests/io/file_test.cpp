#include <espalier/core/error.h>
#include <espalier/io/file.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <temporary_folder.h>

#include "error_of.h"

namespace espalier::io {
namespace {

namespace fs = std::filesystem;
using test::error_of;

// While one lives, no file can grow over `bytes`: what a full disk looks like to a program.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

int files_in(const std::string& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(File, what_is_written_is_read_back) {
  TemporaryFolder folder;
  std::string bytes("a\0b\n", 4);
  write_file(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x"), bytes);
  MappedFile map = map_file(folder / "x");
  EXPECT_EQ(std::string(reinterpret_cast<char*>(map.bytes.data()), map.bytes.size()), bytes);
  write_file(folder / "empty", "");
  EXPECT_EQ(read_file(folder / "empty"), "");
  EXPECT_TRUE(map_file(folder / "empty").bytes.empty());
}

TEST(File, a_missing_file_is_named_with_what_to_do) {
  std::string error = error_of([] { read_file("no/such/file"); });
  EXPECT_NE(error.find("'no/such/file': No such file or directory; check the path"), std::string::npos)
      << error;
  EXPECT_EQ(error, error_of([] { map_file("no/such/file"); }));
}

TEST(File, a_folder_or_a_device_is_not_read_or_replaced) {
  TemporaryFolder folder;
  EXPECT_NE(error_of([&] { read_file(folder / ""); }).find("it is a folder"), std::string::npos);
  EXPECT_NE(error_of([&] { AtomicFile file(folder / ""); }).find("it is a folder"), std::string::npos);
  EXPECT_NE(error_of([] { write_file("/dev/full", "x"); }).find("not an ordinary file"), std::string::npos);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(File, a_mapping_can_be_written_without_changing_the_file) {
  TemporaryFolder folder;
  write_file(folder / "x", "abc");
  MappedFile map = map_file(folder / "x");
  map.bytes[0] = std::byte{'z'};
  EXPECT_EQ(read_file(folder / "x"), "abc");
}

TEST(File, a_mapping_outlives_the_replacement_of_its_file) {
  TemporaryFolder folder;
  write_file(folder / "x", "old");
  MappedFile map = map_file(folder / "x");
  write_file(folder / "x", "new");
  EXPECT_EQ(map.bytes[0], std::byte{'o'});
  EXPECT_EQ(read_file(folder / "x"), "new");
}

TEST(File, bytes_are_copied_out_of_files_and_memory) {
  TemporaryFolder folder;
  std::string text(100'000, 'a');
  write_file(folder / "x", text + "end");
  MappedFile file = map_file(folder / "x");
  std::string out(5, ' ');
  auto* to = reinterpret_cast<std::byte*>(out.data());
  fetch(file.bytes.last(5));
  copy_out(file.bytes.last(5), to);
  EXPECT_EQ(out, "aaend");
  fetch(std::as_bytes(std::span(text)));
  copy_out(std::as_bytes(std::span(text)).first(5), to);
  EXPECT_EQ(out, "aaaaa");
}

TEST(File, forgotten_bytes_are_read_again) {
  TemporaryFolder folder;
  std::string text(100'000, 'x');
  write_file(folder / "x", text);
  MappedFile map = map_file(folder / "x");
  forget(map.bytes);
  EXPECT_TRUE(std::ranges::all_of(map.bytes, [](std::byte b) { return b == std::byte{'x'}; }));
  forget(std::as_bytes(std::span(text)));  // is of no mapped file
  EXPECT_EQ(text, std::string(100'000, 'x'));
}

TEST(AtomicFile, on_a_size_limit_lives_without_handling_the_signal) {
  TemporaryFolder folder;
  std::string error;
  {
    FileSizeLimit limit(1000);
    std::signal(SIGXFSZ, SIG_DFL);
    error = error_of([&] { write_file(folder / "x", std::string(5000, 'n')); });
  }
  EXPECT_NE(error.find("File too large"), std::string::npos) << error;
}

TEST(AtomicFile, that_is_not_committed_leaves_nothing) {
  TemporaryFolder folder;
  write_file(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder / "x"), "old");
  EXPECT_EQ(files_in(folder / ""), 1);
}

TEST(AtomicFile, on_a_full_disk_throws_and_keeps_the_old_file) {
  TemporaryFolder folder;
  write_file(folder / "x", "old");
  std::string error;
  {
    FileSizeLimit limit(1000);
    error = error_of([&] { write_file(folder / "x", std::string(5000, 'n')); });
  }
  EXPECT_NE(error.find("x': File too large"), std::string::npos) << error;
  EXPECT_EQ(read_file(folder / "x"), "old");
  EXPECT_EQ(files_in(folder / ""), 1);
}

TEST(AtomicFile, needs_a_folder_that_exists) {
  TemporaryFolder folder;
  std::string error = error_of([&] { write_file(folder / "no/x", "x"); });
  EXPECT_NE(error.find("make it first"), std::string::npos) << error;
}

TEST(AtomicFile, keeps_permissions_and_follows_links) {
  TemporaryFolder folder;
  write_file(folder / "x", "old");
  fs::permissions(folder / "x", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("x", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "x"), "new");
  EXPECT_EQ(fs::status(folder / "x").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AppendLine, adds_whole_lines_or_nothing) {
  TemporaryFolder folder;
  append_line(folder / "x", "one");
  append_line(folder / "x", "two");
  {
    FileSizeLimit limit(1000);
    EXPECT_NE(error_of([&] { append_line(folder / "x", std::string(5000, 'n')); }), "no error");
  }
  EXPECT_EQ(read_file(folder / "x"), "one\ntwo\n");
}

TEST(AppendLine, takes_the_rest_of_a_killed_writer_away) {
  TemporaryFolder folder;
  write_file(folder / "x", "one\ntw");
  EXPECT_EQ(read_lines(folder / "x"), "one\n");
  append_line(folder / "x", "two");
  EXPECT_EQ(read_file(folder / "x"), "one\ntwo\n");
  write_file(folder / "y", "o");
  EXPECT_EQ(read_lines(folder / "y"), "");
}

}  // namespace
}  // namespace espalier::io
