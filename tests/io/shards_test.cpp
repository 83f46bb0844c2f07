#include <algorithm>

#include <espalier/io/shards.h>

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>

#include <espalier/core/error.h>
#include <espalier/io/weights.h>

#include <temporary_folder.h>

namespace espalier::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Array of(float value) {
  Array a = Array::empty({2}, float32);
  std::fill_n(a.data<float>(), 2, value);
  return a;
}

class Shards : public testing::Test {
 protected:
  Shards() {
    write_safetensors(folder / "model-00001-of-00002.safetensors", {{"a", of(1)}, {"b", of(2)}});
    write_safetensors(folder / "model-00002-of-00002.safetensors", {{"c", of(3)}});
  }
  std::string index(const std::string& map, const std::string& metadata = R"({"total_size":24})") {
    return R"({"metadata":)" + metadata + R"(,"weight_map":)" + map + "}";
  }
  std::string error_of(const std::string& content) {
    write_file(path, content);
    try {
      WeightsFile file(path);
    } catch (const FileError& e) {
      return e.what();
    }
    return "no error";
  }

  TemporaryFolder folder;
  std::string path = folder / "model.safetensors.index.json";
  const std::string kFirst = R"("model-00001-of-00002.safetensors")",
                    kSecond = R"("model-00002-of-00002.safetensors")";
  const std::string kMap = R"({"a":)" + kFirst + R"(,"b":)" + kFirst + R"(,"c":)" + kSecond + "}";
};

TEST_F(Shards, are_read_as_one_file) {
  write_file(path, index(kMap));
  WeightsFile file(path);
  EXPECT_EQ(file.format(), "shards");
  std::vector<std::string> names;
  for (const auto& t : file.tensors()) names.push_back(t.name);
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
  EXPECT_EQ(file.array("c").data<float>()[0], 3);
  EXPECT_TRUE(file.remarks().empty());
}

std::vector<std::string> files_in(const TemporaryFolder& folder) {
  std::vector<std::string> out;
  for (auto& entry : std::filesystem::directory_iterator(folder / ""))
    out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

TEST_F(Shards, replace_a_set_as_a_whole) {
  write_file(path, index(kMap));
  WeightsFile before(path);
  write_safetensors_shards(path, {{"a", of(4)}, {"b", of(5)}, {"d", of(6)}}, 16);
  EXPECT_THAT(files_in(folder),
              ElementsAre("model-00001-of-00002.2.safetensors", "model-00002-of-00002.2.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_EQ(WeightsFile(path).array("d").data<float>()[0], 6);
  EXPECT_EQ(before.array("c").data<float>()[0], 3);  // who has it open keeps it
  write_safetensors_shards(path, {{"a", of(7)}, {"b", of(8)}, {"d", of(9)}}, 16);
  EXPECT_THAT(files_in(folder),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json"));
  EXPECT_EQ(WeightsFile(path).array("d").data<float>()[0], 9);
}

TEST_F(Shards, that_no_index_names_go_with_the_next_set) {
  for (std::string name :
       {"model-00001-of-00009.3", "model-x", "model-2-00001-of-00002", "other-00001-of-00002"})
    write_safetensors(folder / (name + ".safetensors"), {{"x", of(0)}});
  write_file(folder / "model.index.json", R"({"weight_map":{"c":)" + kSecond + "}}");
  write_safetensors_shards(path, {{"a", of(1)}}, 16);
  EXPECT_THAT(files_in(folder),
              ElementsAre("model-00001-of-00001.safetensors", "model-00002-of-00002.safetensors",
                          "model-2-00001-of-00002.safetensors", "model-x.safetensors", "model.index.json",
                          "model.safetensors.index.json", "other-00001-of-00002.safetensors"));
}

TEST_F(Shards, that_can_not_be_written_leave_the_old_set_alone) {
  write_file(path, index(kMap));
  auto before = files_in(folder);
  EXPECT_THROW(write_safetensors_shards(path, {{"a", of(4)}, {"__metadata__", of(5)}}, 8), ValueError);
  EXPECT_EQ(files_in(folder), before);
  EXPECT_EQ(WeightsFile(path).array("c").data<float>()[0], 3);
}

TEST_F(Shards, may_be_files_of_pytorch) {
  write_pytorch(folder / "pytorch_model-00001-of-00001.bin", std::vector<NamedArray>{{"x", of(4)}});
  write_file(path, index(R"({"x":"pytorch_model-00001-of-00001.bin"})", "{}"));
  EXPECT_EQ(WeightsFile(path).array("x").data<float>()[0], 4);
}

TEST_F(Shards, outside_of_the_folder_are_refused) {
  for (const char* name : {"../x", "/etc/passwd", "sub/x", "..", "", ".hidden", "a\\\\b", "a\\u0000b"})
    EXPECT_THAT(error_of(index(std::string(R"({"a":")") + name + R"("})")),
                HasSubstr("no file of the same folder"))
        << name;
}

TEST_F(Shards, missing_files_and_tensors_are_named) {
  EXPECT_THAT(error_of(index(R"({"a":"gone.safetensors"})")), HasSubstr("gone.safetensors"));
  EXPECT_THAT(error_of(index(R"({"c":)" + kFirst + R"(,"z":)" + kSecond + "}")),
              HasSubstr("tensors are missing:\n  c in model-00001-of-00002.safetensors\n  z in model-00002"));
}

TEST_F(Shards, names_used_twice_are_refused) {
  EXPECT_THAT(error_of(index(R"({"a":)" + kFirst + R"(,"a":)" + kSecond + "}")),
              HasSubstr("'a' stands there twice"));
  EXPECT_THAT(error_of(R"({"weight_map":{},"weight_map":{}})"), HasSubstr("twice"));
}

TEST_F(Shards, an_index_that_is_none_is_refused) {
  EXPECT_THAT(error_of(R"({"weight_map":)"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of(R"({"x":"weight_map"})"), HasSubstr("it has no weight_map"));
  EXPECT_THAT(error_of(R"({"x":{"weight_map":{}}})"), HasSubstr("it has no weight_map"));
  EXPECT_THAT(error_of(index(R"({"a":3})")), HasSubstr("is in no file"));
  EXPECT_THAT(error_of(index(R"({"a":{}})")), HasSubstr("is in no file"));
  EXPECT_THAT(error_of(index(kMap, std::string(200, '['))), HasSubstr("nested"));
}

TEST_F(Shards, an_index_can_not_lead_to_itself) {
  EXPECT_THAT(error_of(index(R"({"a":"model.safetensors.index.json"})")), HasSubstr("it is an index itself"));
  write_file(folder / "other.json", index("{}"));
  EXPECT_THAT(error_of(index(R"({"a":"other.json"})")), HasSubstr("it is an index itself"));
}

TEST_F(Shards, what_the_index_leaves_out_or_counts_wrongly_is_a_remark) {
  write_file(path, index(R"({"a":)" + kFirst + "}"));
  EXPECT_THAT(WeightsFile(path).remarks(), ElementsAre(HasSubstr("'b' in"), HasSubstr("the tensors have 8")));
}

}  // namespace
}  // namespace espalier::io
