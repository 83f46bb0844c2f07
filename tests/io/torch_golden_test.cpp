#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include <espalier/core/text.h>
#include <espalier/io/weights.h>

namespace espalier::io {
namespace {

// Files that PyTorch itself wrote (golden/make_torch.py), of every format that it has had.
const std::string kGolden = "io/golden/torch_";

std::vector<double> values(const WeightsFile& file, const std::string& name) {
  StoredTensor t = *file.find(name);
  std::string buffer;
  auto bytes = row_major_bytes(t, buffer);
  auto read = [&]<class T>(T) {  // a file's bytes may lie anywhere
    std::vector<T> all(static_cast<size_t>(t.shape.numel()));
    std::memcpy(all.data(), bytes.data(), all.size() * sizeof(T));
    return std::vector<double>(all.begin(), all.end());
  };
  return t.type->name == "bfloat16" ? read(BFloat16()) : read(float());
}

const std::vector<double> kW{0, 1, 2, 3, 4, 5}, kTurned{0, 3, 1, 4, 2, 5}, kB{0.5, -1.5};

class TorchState : public testing::TestWithParam<const char*> {};

TEST_P(TorchState, is_read) {
  WeightsFile file(concat(kGolden, GetParam(), ".pt"));
  EXPECT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.find("w")->shape, (Shape{2, 3}));
  EXPECT_EQ(values(file, "w"), kW);
  EXPECT_EQ(values(file, "turned"), kTurned);
  EXPECT_EQ(file.find("turned")->storage, file.find("w")->storage);
  EXPECT_EQ(values(file, "b"), kB);
  const Value& epoch = file.pytorch()->root().items().at(7);
  EXPECT_EQ(epoch.integer, 3);
}
INSTANTIATE_TEST_SUITE_P(formats, TorchState,
                         testing::Values("zip", "zip_protocol0", "zip_protocol5", "protocol0", "protocol1",
                                         "protocol2", "protocol3", "protocol4", "protocol5"));

class TorchModel : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(TorchModel, is_read) {
  auto [name, prefix] = GetParam();
  WeightsFile file(concat(kGolden, name, ".pt"));
  EXPECT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(values(file, concat(prefix, "fc.weight")), kW);
  EXPECT_EQ(values(file, concat(prefix, "fc.bias")), kB);
}
INSTANTIATE_TEST_SUITE_P(kinds, TorchModel,
                         testing::Values(std::pair{"module", ""}, std::pair{"module_old", ""},
                                         std::pair{"script", ""}, std::pair{"parallel", "module."}));

}  // namespace
}  // namespace espalier::io
