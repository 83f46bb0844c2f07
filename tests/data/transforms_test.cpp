#include <espalier/data/transforms.h>

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier::data {
namespace {

template <class T>
Array image(const Shape& shape, const std::vector<T>& values) {
  Array a = Array::empty(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), a.data<T>());
  return a;
}

template <class T>
std::vector<T> values(const Array& a) {
  return {a.data<T>(), a.data<T>() + a.numel()};
}

using Bytes = std::vector<uint8_t>;
using Floats = std::vector<float>;

class Transforms : public testing::Test {
 protected:
  Generator random{1};
  Array bytes = image<uint8_t>({1, 2, 3}, {1, 2, 3, 4, 5, 6});
};

TEST_F(Transforms, to_float_divides_by_255) {
  Array out = ToFloat{}(image<uint8_t>({1, 1, 3}, {0, 51, 255}), random);
  EXPECT_EQ(values<float>(out), (Floats{0.0f, 51 / 255.0f, 1.0f}));
  EXPECT_EQ(ToFloat{}(out, random).data(), out.data());
}

TEST_F(Transforms, normalize_works_by_channel) {
  Array x = image<float>({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(Normalize{{1, 2}, {1, 2}}(x, random)), (Floats{0, 1, 0.5, 1}));
  EXPECT_EQ(values<float>(Normalize{{1}, {2}}(x, random)), (Floats{0, 0.5, 1, 1.5}));
}

TEST_F(Transforms, normalize_refuses_what_does_not_fit) {
  Array x = image<float>({2, 1, 1}, {1, 2});
  EXPECT_THROW((Normalize{{1, 2, 3}, {1}}(x, random)), ValueError);
  EXPECT_THROW((Normalize{{0}, {0}}(x, random)), ValueError);
  EXPECT_THROW((Normalize{{0}, {1}}(bytes, random)), DTypeError);
}

TEST_F(Transforms, pad_puts_pixels_on_each_side) {
  Array out = Pad{1, 9}(bytes, random);
  EXPECT_EQ(out.shape, Shape({1, 4, 5}));
  EXPECT_EQ(values<uint8_t>(out), (Bytes{9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9, 9, 9, 9, 9, 9}));
  EXPECT_EQ(values<float>(Pad{1, 0.5f}(image<float>({1, 1, 1}, {7}), random)),
            (Floats{.5, .5, .5, .5, 7, .5, .5, .5, .5}));
  EXPECT_THROW(Pad{-1}(bytes, random), ValueError);
}

TEST_F(Transforms, random_crop_reaches_every_place) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    Bytes part = values<uint8_t>(RandomCrop{1, 2}(bytes, random));
    seen.insert({part.begin(), part.end()});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"\1\2", "\2\3", "\4\5", "\5\6"}));
}

TEST_F(Transforms, random_crop_of_all_draws_nothing) {
  EXPECT_EQ(values<uint8_t>(RandomCrop{2, 3}(bytes, random)), values<uint8_t>(bytes));
  EXPECT_EQ(random.u32(), Generator(1).u32());
  EXPECT_EQ(RandomCrop({3, 3, 1})(bytes, random).shape, Shape({1, 3, 3}));
  EXPECT_THROW((RandomCrop{3, 3}(bytes, random)), ShapeError);
}

TEST_F(Transforms, random_flip_mirrors_about_half) {
  int flipped = 0;
  for (int i = 0; i < 200; ++i) {
    Bytes out = values<uint8_t>(RandomHorizontalFlip{}(bytes, random));
    ASSERT_TRUE(out == values<uint8_t>(bytes) || out == (Bytes{3, 2, 1, 6, 5, 4}));
    flipped += out[0] == 3;
  }
  EXPECT_GT(flipped, 70);
  EXPECT_LT(flipped, 130);
  EXPECT_EQ(values<uint8_t>(RandomHorizontalFlip{0}(bytes, random)), values<uint8_t>(bytes));
}

TEST_F(Transforms, repeat_channels_makes_colour_of_grey) {
  Array out = RepeatChannels{}(bytes, random);
  EXPECT_EQ(out.shape, Shape({3, 2, 3}));
  EXPECT_EQ(out.data<uint8_t>()[12], 1);
  EXPECT_EQ(out.data<uint8_t>()[17], 6);
  EXPECT_EQ(RepeatChannels{}(out, random).data(), out.data());
  EXPECT_THROW(RepeatChannels{4}(out, random), ShapeError);
}

// The values are PyTorch's: F.interpolate(x, size, mode="bilinear", antialias=True).
TEST_F(Transforms, resize_is_bilinear) {
  Array x = image<float>({1, 1, 4}, {0, 1, 2, 3});
  EXPECT_EQ(values<float>(Resize{1, 8}(x, random)), (Floats{0, .25, .75, 1.25, 1.75, 2.25, 2.75, 3}));
  Floats half = values<float>(Resize{1, 2}(x, random));
  EXPECT_NEAR(half[0], 5.0 / 7, 1e-6);
  EXPECT_NEAR(half[1], 16.0 / 7, 1e-6);
  Array squares = image<float>({1, 5, 7}, Floats(35));
  for (int i = 0; i < 35; ++i) squares.data<float>()[i] = static_cast<float>(i * i);
  Floats small = values<float>(Resize{3, 4}(squares, random));
  Floats expected = {24.7619f,  38.2800f,  60.3600f,  84.1905f,  233.0635f, 280.8178f,
                     343.3777f, 401.4444f, 663.8094f, 745.8000f, 848.8399f, 941.1428f};
  for (size_t i = 0; i < 12; ++i) EXPECT_NEAR(small[i], expected[i], 2e-4);
  EXPECT_EQ(values<uint8_t>(Resize{1, 1}(image<uint8_t>({1, 2, 2}, {10, 20, 30, 41}), random)), (Bytes{25}));
}

TEST_F(Transforms, resize_of_a_plain_image_keeps_its_value) {
  Array x = image<uint8_t>({3, 5, 7}, Bytes(105, 200));
  for (auto [h, w] : {std::pair{2, 3}, {11, 4}, {1, 1}, {5, 7}}) {
    Array out = Resize{h, w}(x, random);
    EXPECT_EQ(values<uint8_t>(out), Bytes(static_cast<size_t>(3 * h * w), 200));
  }
}

TEST_F(Transforms, apply_goes_through_all) {
  Array out = apply({RepeatChannels{3}, Pad{1}, ToFloat{}, Normalize{{0.5f}, {0.5f}}}, bytes, random);
  EXPECT_EQ(out.shape, Shape({3, 4, 5}));
  EXPECT_EQ(out.data<float>()[0], -1.0f);
}

}  // namespace
}  // namespace espalier::data
