#include <cstdlib>

#include <gtest/gtest.h>

#include <espalier/espalier.h>
#include <espalier/io/npy.h>
#include <espalier/io/pytorch.h>

#include <temporary_folder.h>

namespace espalier::models {
namespace {

nn::LoadOptions names_of_others() { return {.rename = {{"linear", "fc"}}}; }

// The kind of file that DataParallel leaves: {"state_dict": {"module.…": …}, "best_prec1": …}, in which the
// last layer has another name and batches were not counted.
TEST(Pretrained, a_resnet_is_loaded_from_a_checkpoint_with_other_names) {
  TemporaryFolder folder;
  ResNet model = resnet20(), again = resnet20();
  std::vector<io::NamedArray> arrays;
  for (auto& [name, tensor] : model.state_dict()) {
    if (name.ends_with("num_batches_tracked")) continue;
    std::string other = name.starts_with("fc.") ? "linear" + name.substr(2) : name;
    arrays.push_back({"state_dict.module." + other, tensor.array()});
  }
  io::write_pytorch(folder / "x.th", arrays);
  nn::LoadResult result = again.load(folder / "x.th", names_of_others());
  EXPECT_EQ(result.prefix, "state_dict.module.");
  EXPECT_EQ(result.loaded, arrays.size());
  Tensor x = espalier::randn({2, 3, 32, 32});
  EXPECT_EQ((model.eval()(x) - again.eval()(x)).abs().max().item<float>(), 0);
}

// The file itself and what PyTorch makes of it, where ESPALIER_CORPUS and ESPALIER_CIFAR10 name folders that
// have them.
class ResNet20 : public testing::Test {
 protected:
  void SetUp() override {
    const char *corpus = std::getenv("ESPALIER_CORPUS"), *cifar = std::getenv("ESPALIER_CIFAR10");
    if (!corpus || !cifar)
      GTEST_SKIP() << "set ESPALIER_CORPUS and ESPALIER_CIFAR10 to folders with the files";
    std::string root = corpus;
    model.load(root + "/ckpt/akamaster__pytorch_resnet_cifar10/resnet20-12fca82f.th", names_of_others());
    expected = Tensor(io::read_npy(root + "/expected/resnet20_cifar10test_first64_logits.npy"));
    images = data::cifar10(cifar).test;
  }

  ResNet model = resnet20();
  Tensor expected;
  data::ImageDataset images;
  std::vector<data::Transform> transform = {
      data::ToFloat{}, data::Normalize{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}}};
};

TEST_F(ResNet20, gives_the_logits_of_pytorch) {
  data::DataLoader loader(images, {.batch_size = expected.size(0), .transform = transform});
  Tensor logits = model.eval()(loader.begin()->x).detach();
  EXPECT_LT((logits - expected).abs().max().item<float>(), 1e-4);
}

TEST_F(ResNet20, has_the_published_accuracy) {
  auto score = train::evaluate(model.ref(), [&](const Tensor& x) { return model(x); }, images,
                               {.batch_size = 250, .transform = transform});
  EXPECT_EQ(score.accuracy, 0.9173);
}

}  // namespace
}  // namespace espalier::models
