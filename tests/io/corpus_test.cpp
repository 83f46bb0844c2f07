#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

namespace espalier::io {
namespace {

// Files of other people's making, where a developer has them: INDEX.tsv names path, source and kind.
const std::filesystem::path kCorpus = "../../shared/corpus";

std::vector<std::string> files_of_kind(const std::string& kind) {
  std::vector<std::string> files;
  std::ifstream index(kCorpus / "INDEX.tsv");
  for (std::string line; std::getline(index, line);) {
    std::istringstream fields(line);
    std::string path, source, its_kind;
    std::getline(fields, path, '\t');
    std::getline(fields, source, '\t');
    std::getline(fields, its_kind, '\t');
    if (its_kind == kind) files.push_back((kCorpus / path).string());
  }
  return files;
}

TEST(SafetensorsCorpus, valid_files_are_read) {
  auto files = files_of_kind("safetensors");
  if (files.empty()) GTEST_SKIP() << "there is no " << kCorpus;
  for (const auto& path : files) {
    SafetensorsFile file(path);
    for (const auto& entry : file.entries()) {
      if (file.tensor(entry).type->array_dtype()) {
        EXPECT_EQ(file.array(entry).shape, entry.shape) << path << ": " << entry.name;
      } else {
        EXPECT_THROW(file.array(entry), DTypeError) << path << ": " << entry.name;
      }
    }
  }
}

TEST(SafetensorsCorpus, invalid_files_are_refused) {
  auto files = files_of_kind("safetensors-invalid");
  if (files.empty()) GTEST_SKIP() << "there is no " << kCorpus;
  for (const auto& path : files) EXPECT_THROW(SafetensorsFile{path}, FileError) << path;
}

}  // namespace
}  // namespace espalier::io
