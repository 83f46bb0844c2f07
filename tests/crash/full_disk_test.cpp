#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <espalier/core/error.h>
#include <temporary_folder.h>

#include "writers.h"

// Writers that are given no room: what was there stays, and the error says why.
namespace espalier {
namespace {

namespace fs = std::filesystem;

class Refused : public testing::TestWithParam<Writer> {
 protected:
  // Writes once more in another process, after `prepare`, which must fail with `part` in its message.
  void expect_refused(const std::string& folder, const char* part, const std::function<void()>& prepare) {
    const Writer& writer = GetParam();
    std::string path = folder + "/file.pt";
    if (!fs::exists(path)) writer.write(path, 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      prepare();
      try {
        writer.write(path, 1);
        std::cerr << "no error" << std::endl;
      } catch (const FileError& e) {
        if (e.message().find(part) != std::string::npos) ::_exit(0);
        std::cerr << e.message() << std::endl;
      }
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(writer.read(path), 0);
    for (auto& entry : fs::recursive_directory_iterator(folder)) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".espalier-")) << entry.path();
    }
  }
};

TEST_P(Refused, by_a_limit_on_the_size_of_files) {
  TemporaryFolder folder;
  expect_refused(folder / "", "File too large; raise the limit", [] {
    rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
}

TEST_P(Refused, by_a_folder_that_cant_be_written_to) {
  TemporaryFolder folder;
  GetParam().write(folder / "file.pt", 0);
  bool is_run = fs::is_directory(folder / "file.pt");
  std::string locked = is_run ? folder / "file.pt" : folder / "";
  fs::permissions(folder / "", fs::perms(0755));
  fs::permissions(locked, fs::perms(0555));
  expect_refused(folder / "", "Permission denied; check the permissions", [] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(1);  // root may write anywhere
  });
  fs::permissions(locked, fs::perms::owner_all);
}

// scripts/kill_writers sets ESPALIER_SMALL_DISK to a folder with room for one file and a half.
TEST_P(Refused, by_a_disk_that_is_full) {
  const char* disk = std::getenv("ESPALIER_SMALL_DISK");
  if (!disk) GTEST_SKIP() << "ESPALIER_SMALL_DISK is not set";
  expect_refused(disk, "No space left on device; free some space", [] {});
  fs::remove_all(std::string(disk) + "/file.pt");
}

INSTANTIATE_TEST_SUITE_P(Writers, Refused, testing::ValuesIn(kWriters),
                         [](auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace espalier
