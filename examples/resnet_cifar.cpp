// A ResNet-20 that was trained in Python is loaded and tested on CIFAR-10. The weights are those of
// github.com/akamaster/pytorch_resnet_cifar10, resnet20-12fca82f.th: a checkpoint of DataParallel in the
// format before PyTorch 1.6, whose last layer is called `linear`.
#include <iostream>

#include <espalier/espalier.h>
#include <espalier/io/npy.h>

namespace data = espalier::data;
using espalier::Tensor;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: resnet_cifar WEIGHTS CIFAR10_FOLDER [LOGITS.npy]\n";
    return 2;
  }
  auto model = espalier::models::resnet20();
  std::cout << model.load(argv[1], {.rename = {{"linear", "fc"}}}) << "\n";

  data::ImageDataset images = data::cifar10(argv[2]).test;
  std::vector<data::Transform> transform = {
      data::ToFloat{}, data::Normalize{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}}};
  auto score = espalier::train::evaluate(model.ref(), [&](const Tensor& x) { return model(x); }, images,
                                         {.batch_size = 250, .transform = transform});
  std::cout << "accuracy on " << images.size() << " images: " << 100 * score.accuracy << " %\n";

  if (argc < 4) return 0;  // the logits of the first images, as PyTorch had them
  Tensor wanted(espalier::io::read_npy(argv[3]));
  data::DataLoader loader(images, {.batch_size = wanted.size(0), .transform = transform});
  Tensor logits = model(loader.begin()->x).detach();
  std::cout << "largest difference of logits: " << (logits - wanted).abs().max().item<float>() << "\n";
}
