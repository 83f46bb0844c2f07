#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

#include <espalier/core/storage.h>
#include <espalier/ops/arithmetic.h>
#include <espalier/ops/creation.h>

namespace espalier {
namespace {

// What PyTorch 2.13 prints, without "torch." before a dtype.
TEST(Print, LooksAsInPyTorch) {
  std::vector<std::pair<Tensor, std::string>> cases = {
      {tensor({1., 2.5, -3.}), R"~(tensor([ 1.0000,  2.5000, -3.0000]))~"},
      {tensor({{1., 2.}, {3., 4.}}),
       R"~(tensor([[1., 2.],
        [3., 4.]]))~"},
      {tensor(3.5), R"~(tensor(3.5000))~"},
      {tensor(7), R"~(tensor(7))~"},
      {tensor(true), R"~(tensor(True))~"},
      {tensor({true, false}), R"~(tensor([ True, False]))~"},
      {tensor({1, -20, 300}), R"~(tensor([  1, -20, 300]))~"},
      {tensor({1, 2}, {.dtype = int32}), R"~(tensor([1, 2], dtype=int32))~"},
      {tensor({1e-5, 1.0}), R"~(tensor([1.0000e-05, 1.0000e+00]))~"},
      {tensor({1e9, 1.0}), R"~(tensor([1.0000e+09, 1.0000e+00]))~"},
      {tensor({0.0, 1000000.0}), R"~(tensor([      0., 1000000.]))~"},
      {tensor({NAN, 1.0, INFINITY}), R"~(tensor([nan, 1., inf]))~"},
      {tensor({NAN, -INFINITY}), R"~(tensor([nan, -inf]))~"},
      {tensor({NAN, 1.5, -INFINITY}), R"~(tensor([   nan, 1.5000,   -inf]))~"},
      {tensor({0.1, 0.25}, {.dtype = float64}), R"~(tensor([0.1000, 0.2500], dtype=float64))~"},
      {tensor({0.1, 0.25}, {.dtype = bfloat16}), R"~(tensor([0.1001, 0.2500], dtype=bfloat16))~"},
      {zeros({0}), R"~(tensor([]))~"},
      {zeros({2, 0}), R"~(tensor([], size=(2, 0)))~"},
      {zeros({0}, {.dtype = int64}), R"~(tensor([], dtype=int64))~"},
      {arange(12).reshape({2, 2, 3}),
       R"~(tensor([[[ 0,  1,  2],
         [ 3,  4,  5]],

        [[ 6,  7,  8],
         [ 9, 10, 11]]]))~"},
      {arange(1001), R"~(tensor([   0,    1,    2,  ...,  998,  999, 1000]))~"},
      {arange(30, {.dtype = float32}),
       R"~(tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,
        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,
        28., 29.]))~"},
      {arange(10000, {.dtype = float32}).reshape({100, 100}),
       R"~(tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 9.7000e+01, 9.8000e+01,
         9.9000e+01],
        [1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.9700e+02, 1.9800e+02,
         1.9900e+02],
        [2.0000e+02, 2.0100e+02, 2.0200e+02,  ..., 2.9700e+02, 2.9800e+02,
         2.9900e+02],
        ...,
        [9.7000e+03, 9.7010e+03, 9.7020e+03,  ..., 9.7970e+03, 9.7980e+03,
         9.7990e+03],
        [9.8000e+03, 9.8010e+03, 9.8020e+03,  ..., 9.8970e+03, 9.8980e+03,
         9.8990e+03],
        [9.9000e+03, 9.9010e+03, 9.9020e+03,  ..., 9.9970e+03, 9.9980e+03,
         9.9990e+03]]))~"},
      {arange(2400).reshape({2, 3, 400}),
       R"~(tensor([[[   0,    1,    2,  ...,  397,  398,  399],
         [ 400,  401,  402,  ...,  797,  798,  799],
         [ 800,  801,  802,  ..., 1197, 1198, 1199]],

        [[1200, 1201, 1202,  ..., 1597, 1598, 1599],
         [1600, 1601, 1602,  ..., 1997, 1998, 1999],
         [2000, 2001, 2002,  ..., 2397, 2398, 2399]]]))~"},
      {ones({2}, {.requires_grad = true}), R"~(tensor([1., 1.], requires_grad=True))~"},
      {ones({2, 12}, {.dtype = float64, .requires_grad = true}),
       R"~(tensor([[1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],
        [1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.]], dtype=float64,
       requires_grad=True))~"},
      {arange(14, {.dtype = float32}).mul_(0.37).requires_grad_(),
       R"~(tensor([0.0000, 0.3700, 0.7400, 1.1100, 1.4800, 1.8500, 2.2200, 2.5900, 2.9600,
        3.3300, 3.7000, 4.0700, 4.4400, 4.8100], requires_grad=True))~"},
      {tensor({0.0, -0.0}), R"~(tensor([0., -0.]))~"},
  };
  for (const auto& [tensor, text] : cases) EXPECT_EQ(to_string(tensor), text);
}

TEST(Print, NamesTheOperationThatComputedIt) {
  Tensor x = ones({2}, {.requires_grad = true});
  EXPECT_EQ(to_string(x + 1), "tensor([2., 2.], grad_fn=<add>)");
}

TEST(Print, ViewsShowTheirOwnElements) {
  Tensor x = arange(6).reshape({2, 3});
  EXPECT_EQ(to_string(x.t()), "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
}

TEST(Print, WithoutValuesShowsTheSize) {
  ShapesOnly scope;
  EXPECT_EQ(to_string(zeros({2, 3})), "tensor(..., size=(2, 3))");
  EXPECT_EQ(to_string(zeros({5}, {.dtype = int64})), "tensor(..., size=(5,), dtype=int64)");
  EXPECT_EQ(to_string(Tensor()), "tensor(undefined)");
}

TEST(Print, StreamsTheSameText) {
  std::ostringstream out;
  out << tensor({1, 2});
  EXPECT_EQ(out.str(), "tensor([1, 2])");
}

}  // namespace
}  // namespace espalier
