#include <espalier/espalier.h>

#include <gtest/gtest.h>

#include <algorithm>

#include <espalier/io/pytorch.h>

#include <temporary_folder.h>

namespace espalier::nn {
namespace {

struct Net : Module<Net> {
  Conv2d conv{1, 2, 3};
  BatchNorm2d bn{2};
  Linear fc{2, 2}, head{2, 2};

  Tensor forward(const Tensor& x) { return head(fc(bn(conv(x)).mean({2, 3}))); }
};

TEST(PytorchFile, a_model_saved_under_a_name_of_pytorch_loads_again) {
  TemporaryFolder folder;
  Net model, again;
  model.save(folder / "model.pt");
  again.load(folder / "model.pt");
  Tensor x = espalier::randn({2, 1, 5, 5});
  EXPECT_EQ((model.eval()(x) - again.eval()(x)).abs().max().item<float>(), 0);
}

TEST(PytorchFile, tied_weights_are_written_once_and_stay_tied) {
  TemporaryFolder folder;
  Net model, again;
  model.head.weight.tie(model.fc.weight);
  again.head.weight.tie(again.fc.weight);
  model.save(folder / "model.pt");
  io::TorchFile file(folder / "model.pt");
  auto storage = [&](std::string_view name) {
    return std::ranges::find(file.tensors(), name, &io::StoredTensor::name)->storage->data();
  };
  EXPECT_EQ(storage("fc.weight"), storage("head.weight"));
  EXPECT_NE(storage("fc.bias"), storage("head.bias"));
  EXPECT_TRUE(again.load(folder / "model.pt").missing.empty());
}

TEST(PytorchFile, the_name_does_not_matter_for_loading) {
  TemporaryFolder folder;
  Net model, again;
  model.save(folder / "model.pt");
  std::filesystem::rename(folder / "model.pt", folder / "model.safetensors");
  EXPECT_NO_THROW(again.load(folder / "model.safetensors"));
}

}  // namespace
}  // namespace espalier::nn
