#pragma once

#include <optional>
#include <vector>

#include <espalier/nn/nn.h>

// Residual networks (He et al. 2015) of basic blocks, with the names of torchvision's.
namespace espalier::models {

// What stands for x beside a block that changes its shape.
enum class Shortcut {
  projection,  // a 1×1 convolution with normalisation
  padding,     // every second pixel, with channels of zeros added: no parameters
};

// Two 3×3 convolutions, around which x goes unchanged.
struct BasicBlock : nn::Module<BasicBlock> {
  BasicBlock(int64_t in, int64_t out, int64_t stride, Shortcut shortcut);

  Tensor forward(const Tensor& x);

  int64_t stride;
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  std::optional<nn::Sequential> downsample;
  ESPALIER_FIELDS(BasicBlock, stride, conv1, bn1, conv2, bn2, downsample)

 private:
  Tensor beside(const Tensor& x);
};

struct ResNetOptions {
  int64_t classes = 10;
  std::vector<int64_t> blocks = {2, 2, 2, 2};  // of the three or four stages
  int64_t width = 64;                          // channels of the first stage; each next one doubles them
  Shortcut shortcut = Shortcut::projection;
  bool large_images = false;  // begins with a 7×7 convolution of stride 2 and pooling, for 224×224 images
};

// [N, 3, H, W] images to [N, classes] logits.
struct ResNet : nn::Module<ResNet> {
  explicit ResNet(ResNetOptions options = {});

  Tensor forward(const Tensor& x);

  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  std::optional<nn::MaxPool2d> maxpool;
  nn::Sequential layer1, layer2, layer3;
  std::optional<nn::Sequential> layer4;
  nn::Linear fc;
  ESPALIER_FIELDS(ResNet, conv1, bn1, maxpool, layer1, layer2, layer3, layer4, fc)
};

// Torchvision's; for images of 32×32 without the beginning that makes them small.
ResNet resnet18(int64_t classes = 10, bool large_images = false);
ResNet resnet34(int64_t classes = 10, bool large_images = false);
// The paper's for CIFAR-10: three stages of 16, 32 and 64 channels, shortcuts without parameters.
ResNet resnet20(int64_t classes = 10);
ResNet resnet56(int64_t classes = 10);

}  // namespace espalier::models
