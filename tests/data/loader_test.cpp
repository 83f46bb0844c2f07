#include <espalier/data/loader.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

namespace espalier::data {
namespace {

// Image i is i everywhere, of class i % 3.
ImageDataset numbered(int64_t n, Shape shape = {1, 2, 2}) {
  shape.insert(0, n);
  ImageDataset d{Array::empty(shape, DType::uint8), {}, {"a", "b", "c"}, "numbers", ""};
  for (int64_t i = 0; i < n; ++i) {
    d.labels.push_back(i % 3);
    Array image = d.image(i);
    std::fill_n(image.data<uint8_t>(), image.numel(), static_cast<uint8_t>(i));
  }
  return d;
}

// The numbers of the images that an epoch gives, in order.
std::vector<int64_t> order_of(const DataLoader& loader) {
  std::vector<int64_t> order;
  for (auto& [x, y] : loader) {
    int64_t pixels = x.numel() / x.size(0);
    for (int64_t i = 0; i < x.size(0); ++i) order.push_back(std::lround(x.data<float>()[i * pixels] * 255));
  }
  return order;
}

std::vector<float> values_of(const DataLoader& loader) {
  std::vector<float> values;
  for (auto& [x, y] : loader) values.insert(values.end(), x.data<float>(), x.data<float>() + x.numel());
  return values;
}

std::vector<Transform> random_transforms() {
  return {RandomCrop{2, 2, 1}, RandomHorizontalFlip{}, ToFloat{}};
}

TEST(DataLoader, gives_floats_and_labels) {
  int64_t first = 0;
  for (auto& [x, y] : DataLoader(numbered(7), {.batch_size = 3})) {
    int64_t count = std::min<int64_t>(3, 7 - first);
    ASSERT_EQ(x.shape(), Shape({count, 1, 2, 2}));
    ASSERT_EQ(y.shape(), Shape({count}));
    for (int64_t i = 0; i < count; ++i, ++first) {
      EXPECT_EQ(x.data<float>()[i * 4 + 3], static_cast<float>(first) / 255.0f);
      EXPECT_EQ(y.data<int64_t>()[i], first % 3);
    }
  }
  EXPECT_EQ(first, 7);
}

TEST(DataLoader, counts_its_batches) {
  EXPECT_EQ(DataLoader(numbered(7), {.batch_size = 3}).size(), 3);
  EXPECT_EQ(DataLoader(numbered(6), {.batch_size = 3}).size(), 2);
  DataLoader dropping(numbered(7), {.batch_size = 3, .drop_last = true});
  EXPECT_EQ(dropping.size(), 2);
  EXPECT_EQ(order_of(dropping).size(), 6u);
  EXPECT_EQ(order_of(DataLoader(numbered(2), {.batch_size = 3, .drop_last = true})).size(), 0u);
}

TEST(DataLoader, an_empty_data_set_gives_no_batch) {
  EXPECT_TRUE(order_of(DataLoader(numbered(0), {.shuffle = true})).empty());
}

// torch.manual_seed(0); DataLoader(range(10), shuffle=True), two epochs.
TEST(DataLoader, shuffles_as_pytorch) {
  DataLoader loader(numbered(10), {.batch_size = 4, .shuffle = true});
  manual_seed(0);
  EXPECT_EQ(order_of(loader), (std::vector<int64_t>{6, 7, 1, 4, 2, 0, 9, 8, 3, 5}));
  EXPECT_EQ(order_of(loader), (std::vector<int64_t>{2, 4, 7, 0, 8, 9, 5, 3, 6, 1}));
}

TEST(DataLoader, an_epoch_in_order_draws_one_seed_as_pytorch) {
  manual_seed(0);
  order_of(DataLoader(numbered(4), {}));
  Generator same(0);
  same.random_int64();
  EXPECT_EQ(default_generator().u32(), same.u32());
}

TEST(DataLoader, gives_the_same_for_any_number_of_workers) {
  std::vector<std::vector<float>> results;
  for (int workers : {0, 1, 2, 5, 100}) {
    manual_seed(3);
    DataLoader loader(
        numbered(50),
        {.batch_size = 4, .shuffle = true, .workers = workers, .transform = random_transforms()});
    values_of(loader);
    results.push_back(values_of(loader));
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

TEST(DataLoader, random_transforms_differ_from_epoch_to_epoch_and_image_to_image) {
  ImageDataset same = numbered(40);
  std::fill_n(same.images.data<uint8_t>(), same.images.numel(), uint8_t{7});
  DataLoader loader(same, {.batch_size = 40, .transform = random_transforms()});
  auto first = values_of(loader), second = values_of(loader);
  EXPECT_NE(first, second);
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 80, first.begin() + 80));
}

TEST(DataLoader, an_epoch_may_be_left_early) {
  for (int workers : {0, 1, 3}) {
    DataLoader loader(numbered(100), {.batch_size = 1, .workers = workers});
    for (int round = 0; round < 20; ++round) {
      int seen = 0;
      for ([[maybe_unused]] auto& batch : loader) {
        if (++seen > round) break;
      }
      EXPECT_EQ(seen, round + 1);
    }
  }
}

TEST(DataLoader, an_error_of_a_transform_comes_with_its_batch) {
  auto fails_at_5 = [](const Array& image, Generator&) -> Array {
    if (image.data<uint8_t>()[0] == 5) throw ValueError("five");
    return image;
  };
  for (int workers : {0, 2}) {
    DataLoader loader(numbered(20), {.batch_size = 2, .workers = workers, .transform = {fails_at_5}});
    int batches = 0;
    try {
      for ([[maybe_unused]] auto& batch : loader) ++batches;
      FAIL();
    } catch (const ValueError& e) {
      EXPECT_STREQ(e.what(), "five");
    }
    EXPECT_EQ(batches, 2);
  }
}

TEST(DataLoader, a_slow_consumer_and_slow_workers_lose_nothing) {
  auto slow = [](const Array& image, Generator&) {
    if (image.data<uint8_t>()[0] % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return image;
  };
  DataLoader loader(numbered(60), {.batch_size = 3, .workers = 4, .transform = {slow}});
  std::vector<int64_t> order;
  for (auto& [x, y] : loader) {
    order.push_back(std::lround(x.data<float>()[0] * 255));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<int64_t>(3 * i));
  EXPECT_EQ(order.size(), 20u);
}

TEST(DataLoader, a_batch_outlives_its_epoch) {
  Tensor kept;
  for (auto& [x, y] : DataLoader(numbered(4), {.batch_size = 4})) kept = x;
  EXPECT_EQ(kept.data<float>()[15], 3 / 255.0f);
}

TEST(DataLoader, wrong_arguments_are_refused) {
  EXPECT_THROW(DataLoader(numbered(4), {.batch_size = 0}), ValueError);
  EXPECT_THROW(DataLoader(numbered(4), {.workers = -1}), ValueError);
  ImageDataset wrong = numbered(4);
  wrong.labels[2] = 3;
  EXPECT_THROW(DataLoader{wrong}, ValueError);
}

TEST(DataLoader, images_of_different_shapes_can_not_be_a_batch) {
  auto grows = [](const Array& image, Generator& random) {
    return Pad{image.data<uint8_t>()[0]}(image, random);
  };
  EXPECT_THROW(order_of(DataLoader(numbered(4), {.transform = {grows}})), ShapeError);
}

}  // namespace
}  // namespace espalier::data
