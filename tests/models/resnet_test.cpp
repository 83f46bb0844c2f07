#include <espalier/espalier.h>

#include <gtest/gtest.h>

namespace espalier::models {
namespace {

int64_t parameters(const nn::ModuleRef& model) { return model.num_parameters(); }

TEST(ResNet, has_as_many_parameters_as_those_of_others) {
  EXPECT_EQ(parameters(resnet20().ref()), 269722);              // the paper's 0.27 million
  EXPECT_EQ(parameters(resnet56().ref()), 853018);              // 0.85 million
  EXPECT_EQ(parameters(resnet18().ref()), 11173962);            // the usual one for CIFAR-10
  EXPECT_EQ(parameters(resnet18(1000, true).ref()), 11689512);  // torchvision's
  EXPECT_EQ(parameters(resnet34(1000, true).ref()), 21797672);
}

TEST(ResNet, has_the_names_of_torchvision) {
  nn::StateDict state = resnet18(1000, true).state_dict();
  EXPECT_EQ(state.size(), 122u);
  for (const char* name :
       {"conv1.weight", "bn1.num_batches_tracked", "layer1.0.conv1.weight", "layer4.1.bn2.running_var",
        "layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias", "fc.bias"}) {
    EXPECT_TRUE(state.contains(name)) << name;
  }
}

TEST(ResNet, gives_logits_for_small_and_large_images) {
  EXPECT_EQ(resnet20().check({2, 3, 32, 32}), (Shape{2, 10}));
  EXPECT_EQ(resnet18(7).check({2, 3, 32, 32}), (Shape{2, 7}));
  EXPECT_EQ(resnet18(1000, true).check({2, 3, 224, 224}), (Shape{2, 1000}));
}

TEST(ResNet, a_shortcut_without_parameters_takes_every_second_pixel_and_adds_channels_of_zeros) {
  BasicBlock block(2, 4, 2, Shortcut::padding);
  block.bn2.weight.detach().zero_();  // leaves the shortcut alone
  Tensor x = espalier::rand({1, 2, 4, 4}), y = block.eval()(x);
  ASSERT_EQ(y.shape(), (Shape{1, 4, 2, 2}));
  for (int64_t channel = 0; channel < 4; ++channel) {
    for (int64_t i = 0; i < 4; ++i) {
      float wanted = channel == 0 || channel == 3 ? 0 : x[0][channel - 1][i / 2 * 2][i % 2 * 2].item<float>();
      EXPECT_EQ(y[0][channel][i / 2][i % 2].item<float>(), wanted) << channel << " " << i;
    }
  }
}

TEST(ResNet, refuses_other_numbers_of_stages) {
  EXPECT_THROW(ResNet({.blocks = {2, 2}}), ValueError);
  EXPECT_THROW(ResNet({.blocks = {2, 2, 0}}), ValueError);
}

TEST(Registry, makes_every_model_that_it_names) {
  for (const std::string& name : names()) {
    Shape input = input_shape(name);
    EXPECT_EQ(create(name, 3)(zeros({1, input[0], input[1], input[2]})).shape(), (Shape{1, 3})) << name;
  }
}

}  // namespace
}  // namespace espalier::models
