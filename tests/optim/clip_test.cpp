#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/clip.h>

namespace espalier::optim {
namespace {

Tensor with_grad(const std::vector<double>& grad) {
  Tensor p = zeros({static_cast<int64_t>(grad.size())}, {.dtype = float64});
  p.requires_grad_();
  p.set_grad(tensor(grad));
  return p;
}

TEST(Clipping, ScalesAllGradientsTogether) {
  Tensor a = with_grad({3, 0}), b = with_grad({4}), none = zeros({2});
  EXPECT_NEAR(clip_grad_norm_({a, none, b}, 1), 5, 1e-12);
  EXPECT_NEAR(a.grad().to_vector<double>()[0], 0.6, 1e-6);
  EXPECT_NEAR(b.grad().to_vector<double>()[0], 0.8, 1e-6);
  EXPECT_FALSE(none.grad().defined());
}

TEST(Clipping, LeavesSmallGradientsAsTheyAre) {
  Tensor a = with_grad({0.3, -0.4});
  EXPECT_NEAR(clip_grad_norm_({a}, 1), 0.5, 1e-12);
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{0.3, -0.4}));
}

TEST(Clipping, KnowsOtherNorms) {
  double inf = std::numeric_limits<double>::infinity();
  EXPECT_NEAR(clip_grad_norm_({with_grad({3, -7}), with_grad({2})}, 100, {.norm_type = inf}), 7, 1e-12);
  EXPECT_NEAR(clip_grad_norm_({with_grad({3, -7}), with_grad({2})}, 100, {.norm_type = 1}), 12, 1e-12);
}

TEST(Clipping, CanRefuseNormsThatAreNotFinite) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor a = with_grad({1, nan});
  EXPECT_THROW(clip_grad_norm_({a}, 1, {.error_if_nonfinite = true}), ValueError);
  EXPECT_EQ(a.grad().to_vector<double>()[0], 1);
  clip_grad_norm_({a}, 1);
  EXPECT_TRUE(std::isnan(a.grad().to_vector<double>()[0]));
}

TEST(Clipping, BoundsValues) {
  Tensor a = with_grad({3, -0.5, -7});
  clip_grad_value_({a}, 1);
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{1, -0.5, -1}));
}

}  // namespace
}  // namespace espalier::optim
