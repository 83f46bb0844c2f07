#include <espalier/trace/record_file.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/file.h>
#include <espalier/ops/creation.h>
#include <espalier/trace/tracer.h>

#include <temporary_folder.h>

namespace espalier::trace {
namespace {

using testing::HasSubstr;

Record record(Options options = {}) {
  Tracer tracer(options);
  RecorderScope scope(&tracer);
  Tensor x = tensor(std::vector<float>{1, -2, 3});
  recorder()->enter({.path = "", .kind = "Net <\"x\">", .settings = "3"}, {&x, 1});
  Tensor y = x * 2 + x;
  recorder()->leave({&y, 1});
  return tracer.take();
}

TEST(RecordFile, ARecordComesBackAsItWas) {
  TemporaryFolder folder;
  Record was = record({.values = "*"});
  write_record(folder / "r.json", was);
  Record is = read_record(folder / "r.json");
  write_record(folder / "again.json", is);
  EXPECT_EQ(io::read_file(folder / "again.json"), io::read_file(folder / "r.json"));
  ASSERT_EQ(is.tensors.size(), was.tensors.size());
  const TensorInfo& last = is.tensors[is.calls[0].outputs[0]];
  ASSERT_TRUE(last.values);
  EXPECT_EQ(Tensor(*last.values).to_vector<float>(), (std::vector<float>{3, -6, 9}));
  EXPECT_EQ(is.calls[0].kind, "Net <\"x\">");
}

TEST(RecordFile, WithoutValuesThereIsOneFile) {
  TemporaryFolder folder;
  write_record(folder / "r.json", record());
  EXPECT_FALSE(std::filesystem::exists(folder / "r.safetensors"));
  EXPECT_FALSE(read_record(folder / "r.json").tensors[0].values);
}

TEST(RecordFile, ValuesAreKeptUpToALimit) {
  Record r = record({.values = "*", .value_bytes = 24});  // two of three tensors
  int kept = 0;
  for (const TensorInfo& t : r.tensors) kept += t.values.has_value();
  EXPECT_EQ(kept, 2);
}

TEST(RecordFile, WhatIsNoRecordIsRefused) {
  TemporaryFolder folder;
  std::string path = folder / "r.json";
  write_record(path, record());
  std::string good = io::read_file(path);
  auto broken = [&](const std::string& part, const std::string& by) {
    std::string text = good;
    text.replace(text.find(part), part.size(), by);
    try {
      io::write_file(path, text);
      read_record(path);
    } catch (const FileError& e) {
      return e.message();
    }
    return std::string("no error");
  };
  EXPECT_THAT(broken("\"version\":1", "\"version\":2"), HasSubstr("version 2"));
  EXPECT_THAT(broken("\"parent\":-1", "\"parent\":0"), HasSubstr("call 0 stands in call 0"));
  EXPECT_THAT(broken("\"inputs\":[0]", "\"inputs\":[99]"), HasSubstr("no tensor 99"));
  EXPECT_THAT(broken("\"shape\":[3]", "\"shape\":[-3]"), HasSubstr("a size is -3"));
  EXPECT_THAT(broken("\"float32\"", "\"float12\""), HasSubstr("no dtype float12"));
  EXPECT_THAT(broken("\"kind\":", "\"kin\":"), HasSubstr("r.json: not a record"));
  EXPECT_THAT(broken("{", ""), HasSubstr("r.json: not a record"));
}

TEST(RecordFile, ValuesThatDoNotFitTheRecordAreRefused) {
  TemporaryFolder folder;
  write_record(folder / "r.json", record({.values = "*"}));
  std::string text = io::read_file(folder / "r.json");
  size_t at = text.find("\"shape\":[3]");
  io::write_file(folder / "r.json", text.replace(at, 11, "\"shape\":[4]"));
  EXPECT_THROW(read_record(folder / "r.json"), FileError);
}

}  // namespace
}  // namespace espalier::trace
