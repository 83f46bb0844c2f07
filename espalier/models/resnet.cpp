#include <espalier/models/resnet.h>

#include <espalier/core/error.h>
#include <espalier/nn/init.h>
#include <espalier/ops/view.h>

namespace espalier::models {
namespace {

nn::Conv2d conv3x3(int64_t in, int64_t out, int64_t stride) {
  return {in, out, 3, {.stride = stride, .padding = 1, .bias = false}};
}

nn::Conv2d first_conv(const ResNetOptions& o) {
  if (!o.large_images) return conv3x3(3, o.width, 1);
  return {3, o.width, 7, {.stride = 2, .padding = 3, .bias = false}};
}

std::optional<nn::Sequential> projection(int64_t in, int64_t out, int64_t stride) {
  return nn::Sequential{nn::Conv2d{in, out, 1, {.stride = stride, .bias = false}}, nn::BatchNorm2d{out}};
}

nn::Sequential stage(const ResNetOptions& o, size_t i) {
  int64_t out = o.width << i, in = i == 0 ? out : out / 2;
  nn::Sequential blocks;
  for (int64_t block = 0; block < o.blocks[i]; ++block) {
    bool first = block == 0;
    blocks.append(BasicBlock(first ? in : out, out, first && i > 0 ? 2 : 1, o.shortcut));
  }
  return blocks;
}

ResNetOptions checked(ResNetOptions o) {
  require<ValueError>(o.blocks.size() == 3 || o.blocks.size() == 4, "ResNet: it has 3 or 4 stages, got ",
                      o.blocks.size());
  for (int64_t blocks : o.blocks) {
    require<ValueError>(blocks >= 1, "ResNet: a stage needs at least one block, got ", blocks);
  }
  return o;
}

}  // namespace

BasicBlock::BasicBlock(int64_t in, int64_t out, int64_t stride, Shortcut shortcut)
    : stride(stride), conv1(conv3x3(in, out, stride)), bn1(out), conv2(conv3x3(out, out, 1)), bn2(out) {
  bool same = stride == 1 && in == out;
  if (!same && shortcut == Shortcut::projection) downsample = projection(in, out, stride);
}

Tensor BasicBlock::forward(const Tensor& x) {
  Tensor y = relu(bn1(conv1(x)));
  return relu(bn2(conv2(y)) + beside(x));
}

Tensor BasicBlock::beside(const Tensor& x) {
  if (downsample) return (*downsample)(x);
  int64_t added = conv2.out_channels - conv1.in_channels;
  if (stride == 1 && added == 0) return x;
  Tensor fewer = x.slice(2, {}, {}, stride).slice(3, {}, {}, stride);
  return pad(fewer, {0, 0, 0, 0, added / 2, added - added / 2});
}

ResNet::ResNet(ResNetOptions o)
    : conv1(first_conv(checked(o))),
      bn1(o.width),
      layer1(stage(o, 0)),
      layer2(stage(o, 1)),
      layer3(stage(o, 2)),
      fc(o.width << (o.blocks.size() - 1), o.classes) {
  if (o.large_images) maxpool.emplace(3, MaxPool2dOptions{.stride = 2, .padding = 1});
  if (o.blocks.size() == 4) layer4 = stage(o, 3);
  apply([](nn::ModuleRef module) {
    auto* conv = module.as<nn::Conv2d>();
    if (conv) nn::init::kaiming_normal_(conv->weight, {.mode = "fan_out", .nonlinearity = "relu"});
  });
}

Tensor ResNet::forward(const Tensor& x) {
  Tensor y = relu(bn1(conv1(x)));
  if (maxpool) y = (*maxpool)(y);
  y = layer3(layer2(layer1(y)));
  if (layer4) y = (*layer4)(y);
  return fc(y.mean({2, 3}));
}

ResNet resnet18(int64_t classes, bool large_images) {
  return ResNet({.classes = classes, .large_images = large_images});
}
ResNet resnet34(int64_t classes, bool large_images) {
  return ResNet({.classes = classes, .blocks = {3, 4, 6, 3}, .large_images = large_images});
}
ResNet resnet20(int64_t classes) {
  return ResNet({.classes = classes, .blocks = {3, 3, 3}, .width = 16, .shortcut = Shortcut::padding});
}
ResNet resnet56(int64_t classes) {
  return ResNet({.classes = classes, .blocks = {9, 9, 9}, .width = 16, .shortcut = Shortcut::padding});
}

}  // namespace espalier::models
