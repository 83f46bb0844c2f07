#include <gtest/gtest.h>

#include <espalier/core/random.h>
#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/dropout.h>
#include <espalier/ops/embedding.h>

namespace espalier {
namespace {

using Floats = std::vector<float>;

TEST(Embedding, GivesThePaddingRowNoGradient) {
  for (int64_t padding : {1, -2}) {
    Tensor weight = ones({3, 2}, {.requires_grad = true});
    Tensor y = embedding(tensor({0, 1, 1, 2}), weight, {.padding_idx = padding});
    EXPECT_EQ(y.to_vector<float>(), Floats(8, 1));
    y.sum().backward();
    EXPECT_EQ(weight.grad().to_vector<float>(), (Floats{1, 1, 0, 0, 1, 1}));
  }
}

TEST(Embedding, AddsUpInOneOrderForAnyNumberOfThreads) {
  Tensor indices = randint(10, {5000}), g = randn({5000, 300});
  int threads = get_num_threads();
  Floats first;
  for (int n : {1, 3}) {
    set_num_threads(n);
    Tensor weight = zeros({10, 300}, {.requires_grad = true});
    embedding(indices, weight).backward(g);
    if (first.empty()) first = weight.grad().to_vector<float>();
    EXPECT_EQ(weight.grad().to_vector<float>(), first);
  }
  set_num_threads(threads);
}

TEST(Embedding, AddsManyBfloat16GradientsInFloat) {
  Tensor weight = zeros({1, 1}, {.dtype = bfloat16, .requires_grad = true});
  embedding(zeros({1000}, {.dtype = int64}), weight).sum().backward();
  EXPECT_EQ(weight.grad().dtype(), bfloat16);
  EXPECT_EQ(weight.grad().to_vector<float>(), Floats{1000});
}

TEST(Dropout, OfEverythingIsZeroWithGradientZero) {
  Tensor x = ones({3}, {.requires_grad = true});
  std::string before = default_generator().state();
  Tensor y = dropout(x, 1);
  EXPECT_EQ(y.to_vector<float>(), Floats(3, 0));
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), Floats(3, 0));
  EXPECT_EQ(default_generator().state(), before);
}

TEST(Dropout, DrawsNothingOutsideOfTrainingOrForShapesAlone) {
  Tensor x = ones({3, 4});
  std::string before = default_generator().state();
  EXPECT_TRUE(dropout(x, 0.5, false).is_same(x));
  EXPECT_TRUE(dropout(x, 0).is_same(x));
  ShapesOnly scope;
  EXPECT_EQ(dropout(x, 0.5).shape(), x.shape());
  EXPECT_EQ(default_generator().state(), before);
}

TEST(Dropout, DrawsInTheOrderOfIndicesWhateverTheOrderInMemory) {
  Shape shape{2, 3, 4, 5};
  manual_seed(1);
  Tensor rows = dropout(ones(shape));
  manual_seed(1);
  Tensor y = dropout(ones_like(Tensor(Array::empty(shape, float32, channels_last_strides(shape)))));
  EXPECT_TRUE(y.array().is_channels_last());
  EXPECT_EQ(y.to_vector<float>(), rows.to_vector<float>());
}

TEST(Dropout, SendsTheGradientThroughTheSameMask) {
  Tensor x = ones({100}, {.requires_grad = true});
  Tensor y = dropout(x, 0.25);
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), y.to_vector<float>());
}

}  // namespace
}  // namespace espalier
