#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <espalier/io/file.h>

// Runs what the fuzzers found once: fuzz/finds/TARGET/*. tests/CMakeLists.txt compiles the fuzzers' functions
// under names of their own.
extern "C" {
int fuzz_image(const uint8_t* data, size_t size);
int fuzz_index(const uint8_t* data, size_t size);
int fuzz_npy(const uint8_t* data, size_t size);
int fuzz_onnx(const uint8_t* data, size_t size);
int fuzz_pickle(const uint8_t* data, size_t size);
int fuzz_pytorch(const uint8_t* data, size_t size);
int fuzz_record(const uint8_t* data, size_t size);
int fuzz_run(const uint8_t* data, size_t size);
int fuzz_safetensors(const uint8_t* data, size_t size);
int fuzz_zip(const uint8_t* data, size_t size);
}

namespace {

struct Target {
  const char* name;
  int (*run)(const uint8_t* data, size_t size);
};
constexpr Target kTargets[] = {
    {"image", fuzz_image},   {"index", fuzz_index},
    {"npy", fuzz_npy},       {"onnx", fuzz_onnx},
    {"pickle", fuzz_pickle}, {"pytorch", fuzz_pytorch},
    {"record", fuzz_record}, {"run", fuzz_run},
    {"zip", fuzz_zip},       {"safetensors", fuzz_safetensors},
};

class Finds : public testing::TestWithParam<Target> {};

TEST_P(Finds, do_no_harm) {
  GetParam().run(nullptr, 0);
  std::filesystem::path folder = std::filesystem::path("../fuzz/finds") / GetParam().name;
  if (!std::filesystem::exists(folder)) return;
  for (auto& file : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(file.path().string());
    std::string bytes = espalier::io::read_file(file.path().string());
    EXPECT_EQ(GetParam().run(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Finds, testing::ValuesIn(kTargets),
                         [](auto& info) { return std::string(info.param.name); });

}  // namespace
