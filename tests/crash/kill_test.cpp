#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <espalier/core/stopwatch.h>
#include <espalier/core/threads.h>

#include <temporary_folder.h>

#include "writers.h"

// Writers that are killed at random moments. ESPALIER_KILLS says how often each (20); scripts/kill_writers
// sets it.
namespace espalier {
namespace {

namespace fs = std::filesystem;

int kills() {
  const char* text = std::getenv("ESPALIER_KILLS");
  return text ? std::atoi(text) : 20;
}

// Runs `f` in another process, which has no part in the threads of this one.
pid_t start(const std::function<void()>& f) {
  pid_t child = ::fork();
  if (child != 0) return child;
  SerialScope one_thread;
  try {
    f();
  } catch (const std::exception& e) {
    std::cerr << e.what() << std::endl;
    ::_exit(1);
  }
  ::_exit(0);
}

void wait_for(pid_t child) {
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << "a writer failed";
}

// Kills it after a while, which begins when `begun` is there.
void killed(std::chrono::microseconds after, const std::function<void()>& f, const std::string& begun = "/") {
  pid_t child = start(f);
  ASSERT_GE(child, 0);
  for (int i = 0; i < 100000 && !fs::exists(begun); ++i) ::usleep(200);
  ::usleep(static_cast<useconds_t>(after.count()));
  ::kill(child, SIGKILL);
  wait_for(child);
}

auto count_files(const TemporaryFolder& folder) {
  auto all = fs::recursive_directory_iterator(folder / "");
  return std::distance(begin(all), end(all));
}

// Moments at random within three times what `f` takes.
std::uniform_int_distribution<int> up_to_thrice(const std::function<void()>& f) {
  Stopwatch watch;
  wait_for(start(f));
  return std::uniform_int_distribution<int>(0, static_cast<int>(3e6 * watch.seconds()));
}

class Kill : public testing::TestWithParam<Writer> {};

TEST_P(Kill, leaves_the_old_file_or_the_new_one_whole) {
  const Writer& writer = GetParam();
  TemporaryFolder folder;
  std::string path = folder / "file.pt";
  writer.write(path, 0);
  const auto files = count_files(folder);
  std::mt19937 random(1);
  auto microseconds = up_to_thrice([&] { writer.write(path, 1); });
  int turn = 1, newer = 0, leftovers = 0;
  for (int i = 0; i < kills(); ++i) {
    killed(std::chrono::microseconds(microseconds(random)), [&] {
      for (int next = turn + 1;; ++next) writer.write(path, next);
    });
    int found = writer.read(path);
    ASSERT_GE(found, turn);
    newer += found > turn;
    turn = found;
    std::vector<fs::path> litter;
    for (auto& entry : fs::recursive_directory_iterator(folder / "")) {
      if (entry.path().filename().string().starts_with(".espalier-")) litter.push_back(entry.path());
    }
    leftovers += static_cast<int>(litter.size());
    for (auto& file : litter) fs::remove(file);
  }
  writer.write(path, turn + 1);
  EXPECT_EQ(count_files(folder), files) << "what killed writers left is still there";
  EXPECT_GT(newer, 0) << "no file was ever written";
  std::cout << writer.name << ": " << kills() << " kills, " << newer << " after a new file was there, "
            << turn << " files written, " << leftovers << " temporary files left\n";
}

INSTANTIATE_TEST_SUITE_P(Writers, Kill, testing::ValuesIn(kWriters),
                         [](auto& info) { return std::string(info.param.name); });

TEST(Kill, leaves_a_new_run_whole_or_absent) {
  TemporaryFolder folder;
  std::mt19937 random(2);
  std::uniform_int_distribution<int> microseconds(0, 60000);
  int whole = 0, absent = 0;
  for (int i = 0; i < kills(); ++i) {
    std::string runs = folder / concat("runs-", i), base = runs + "/run";
    auto make = [&] {
      for (int n = 0;; ++n) train::Run::create(concat(base, n), kSettings, "data");
    };
    killed(std::chrono::microseconds(microseconds(random)), make,
           runs);  // measuring the machine comes before
    absent += !fs::exists(base + "0");
    for (int n = 0; fs::exists(concat(base, n)); ++n, ++whole) {
      EXPECT_EQ(train::Run::open(concat(base, n)).settings().model, "net");
      EXPECT_TRUE(fs::exists(concat(base, n, "/environment.json")));
    }
  }
  EXPECT_GT(whole, 0) << "no run was ever made";
  std::cout << "new runs: " << kills() << " kills, " << whole << " runs whole, " << absent << " times none\n";
}

}  // namespace
}  // namespace espalier
