#include <filesystem>

#include <golden/golden.h>

#include <espalier/core/random.h>
#include <espalier/core/threads.h>
#include <espalier/data/loader.h>
#include <espalier/data/mnist.h>
#include <espalier/models/seed_cnn.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/loss.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/sgd.h>
#include <espalier/train/preparation.h>

// The design page's CNN on Fashion-MNIST from seed 0, against the same in PyTorch (seed_cnn.py).
namespace espalier {
namespace {

using models::SeedCnn;

// A number that differs when a bit of a float32 tensor does.
int64_t fingerprint(const Tensor& x) {
  Tensor dense = x.detach().contiguous();
  auto* bits = reinterpret_cast<const uint32_t*>(dense.data<float>());
  uint64_t sum = 0;
  for (int64_t i = 0; i < x.numel(); ++i) sum += static_cast<uint64_t>(i + 1) * bits[i];
  return static_cast<int64_t>(sum & 0x7fffffffffffffff);
}

SeedCnn start() {
  manual_seed(0);
  return SeedCnn();
}

// A data set whose images are their own positions, to see the order in which a loader takes them.
data::ImageDataset positions(int64_t n) {
  data::ImageDataset set;
  set.images = arange(n, {.dtype = float32}).reshape({n, 1, 1, 1}).array();
  set.labels.assign(static_cast<size_t>(n), 0);
  set.classes = {"any"};
  return set;
}

constexpr int64_t kImages = 60000;

TEST(SeedCnnGolden, StartsFromPyTorchsWeights) {
  test::Golden golden("seed_cnn");
  SeedCnn model = start();
  for (auto& [name, p] : model.named_parameters()) {
    Tensor first = p.detach().flatten().narrow(0, 0, 8);
    EXPECT_EQ(first.to_vector<float>(), golden("model", "first." + name).to_vector<float>()) << name;
    EXPECT_EQ(fingerprint(p), golden("model", "fingerprint." + name).item<int64_t>()) << name;
  }
}

TEST(SeedCnnGolden, SeesPyTorchsBatchesInBothEpochs) {
  start();
  Tensor order = test::Golden("seed_cnn")("batches", "order");
  data::DataLoader loader(positions(kImages), {.batch_size = 64, .shuffle = true, .workers = 0});
  data::DataLoader validation(positions(64), {.batch_size = 64, .workers = 0});
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto batch = loader.begin();
    for (int i = 0; i < 4; ++i, ++batch) {
      EXPECT_EQ(batch->x.to_vector<int64_t>(), order[epoch][i].to_vector<int64_t>())
          << "epoch " << epoch << ", batch " << i;
    }
    validation.begin();
  }
}

class SeedCnnRun : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "needs Fashion-MNIST: apt-get install dataset-fashion-mnist";
    data_ = data::fashion_mnist().train;
  }

  // In float32 the loader prepares images as `espalier train` does.
  template <class Make>
  void follow_float32(const std::string& name, const Make& make) {
    SeedCnn model = start();
    auto preparation = train::Preparation::between({1, 28, 28}, {3, 32, 32});
    data::DataLoader loader(data_,
                            {.batch_size = 64, .shuffle = true, .transform = preparation.transforms()});
    auto batch = loader.begin();
    follow(name, model, make(model.parameters()), 1e-4, [&] {
      data::Batch now = *batch;
      ++batch;
      return now;
    });
  }

  template <class Make>
  void follow_float64(const std::string& name, const Make& make) {
    SerialScope serial;  // many small products: a second thread would wait for the first more than it helps
    SeedCnn model = start();
    model.to(float64);
    data::DataLoader loader(positions(kImages), {.batch_size = 64, .shuffle = true, .workers = 0});
    auto batch = loader.begin();
    follow(name, model, make(model.parameters()), 1e-6, [&] {
      data::Batch now = prepare(batch->x.to_vector<int64_t>());
      ++batch;
      return now;
    });
  }

 private:
  template <class Next>
  void follow(const std::string& name, SeedCnn& model, optim::Optimizer optimizer, double tolerance,
              const Next& next) {
    auto losses = test::Golden("seed_cnn")(name, "loss").to_vector<double>();
    for (size_t step = 0; step < losses.size(); ++step) {
      auto [x, y] = next();
      optimizer.zero_grad();
      Tensor loss = cross_entropy(model(x), y);
      loss.backward();
      optimizer.step();
      ASSERT_NEAR(loss.item<double>(), losses[step], tolerance * losses[step]) << name << ", step " << step;
    }
  }

  // Images padded with black to 32 x 32, scaled to -1 ... 1, grey repeated, in float64.
  data::Batch prepare(const std::vector<int64_t>& which) const {
    auto n = static_cast<int64_t>(which.size());
    Tensor x = full({n, 3, 32, 32}, -1, {.dtype = float64});
    std::vector<int64_t> labels;
    for (int64_t i = 0; i < n; ++i) {
      const uint8_t* image = data_.images.data<uint8_t>() + which[i] * 28 * 28;
      for (int64_t p = 0; p < 3 * 28 * 28; ++p) {
        int64_t channel = p / 784, row = p / 28 % 28, column = p % 28;
        x.data<double>()[((i * 3 + channel) * 32 + row + 2) * 32 + column + 2] = image[p % 784] / 127.5 - 1;
      }
      labels.push_back(data_.labels[which[i]]);
    }
    return {x, tensor(labels)};
  }

  data::ImageDataset data_;
};

optim::Adam adam(const nn::Parameters& p) { return optim::Adam(p, {.lr = 1e-3}); }
optim::SGD sgd(const nn::Parameters& p) { return optim::SGD(p, {.lr = 0.01, .momentum = 0.9}); }

TEST_F(SeedCnnRun, Follows20StepsOfAdamInFloat32) { follow_float32("adam_float32", adam); }
TEST_F(SeedCnnRun, Follows20StepsOfSgdInFloat32) { follow_float32("sgd_float32", sgd); }
TEST_F(SeedCnnRun, Follows200StepsOfAdamInFloat64) { follow_float64("adam_float64", adam); }
TEST_F(SeedCnnRun, Follows200StepsOfSgdInFloat64) { follow_float64("sgd_float64", sgd); }

}  // namespace
}  // namespace espalier
