#include <espalier/ops/conv.h>

#include <espalier/ops/creation.h>
#include "op_case.h"

namespace espalier::test {
namespace {

using Visit = std::function<void(double& x, double& w, double& y)>;

// Calls visit for every product that makes up the convolution y of x and w.
void each_product(Plain& x, Plain& w, Plain& y, const Conv2dOptions& o, const Visit& visit) {
  int64_t group = w.shape[0] / o.groups;
  for (int64_t n = 0; n < y.shape[0]; ++n) {
    for (int64_t k = 0; k < y.shape[1]; ++k) {
      for (int64_t i = 0; i < y.shape[2]; ++i) {
        for (int64_t j = 0; j < y.shape[3]; ++j) {
          for (int64_t c = 0; c < w.shape[1]; ++c) {
            for (int64_t p = 0; p < w.shape[2]; ++p) {
              for (int64_t q = 0; q < w.shape[3]; ++q) {
                int64_t h = i * o.stride.h - o.padding.h + p * o.dilation.h;
                int64_t v = j * o.stride.w - o.padding.w + q * o.dilation.w;
                if (h < 0 || v < 0 || h >= x.shape[2] || v >= x.shape[3]) continue;
                visit(x.at({n, k / group * w.shape[1] + c, h, v}), w.at({k, c, p, q}), y.at({n, k, i, j}));
              }
            }
          }
        }
      }
    }
  }
}

Shape output_shape(const Shape& x, const Shape& w, const Conv2dOptions& o) {
  auto out = [](int64_t in, int64_t k, int64_t s, int64_t p, int64_t d) {
    return (in + 2 * p - d * (k - 1) - 1) / s + 1;
  };
  return {x[0], w[0], out(x[2], w[2], o.stride.h, o.padding.h, o.dilation.h),
          out(x[3], w[3], o.stride.w, o.padding.w, o.dilation.w)};
}

OpCase conv_case(const std::string& label, std::vector<std::vector<In>> inputs, const Conv2dOptions& o) {
  return {.op = "conv2d",
          .inputs = std::move(inputs),
          .run = [o](const Args& a) { return conv2d(a[0], a[1], a.size() > 2 ? a[2] : Tensor(), o); },
          .reference =
              [o](std::vector<Plain> in) {
                bool batch = in[0].shape.rank() == 4;
                if (!batch) in[0].shape.insert(0, 1);
                Plain y = make(output_shape(in[0].shape, in[1].shape, o));
                each_product(in[0], in[1], y, o, [](double& x, double& w, double& out) { out += x * w; });
                int64_t plane = y.shape[2] * y.shape[3];
                for (size_t i = 0; in.size() > 2 && i < y.v.size(); ++i)
                  y.v[i] += in[2].v[i / plane % y.shape[1]];
                if (!batch) y.shape.erase(0);
                return y;
              },
          .label = label};
}

OpCase with_failures(OpCase row) {
  row.failures = {{"other channels",
                   [] {
                     conv2d(ones({1, 3, 5, 5}), ones({4, 2, 3, 3}));
                   },
                   "expected 2 input channels, got 3"},
                  {"a matrix",
                   [] {
                     conv2d(ones({5, 5}), ones({4, 2, 3, 3}));
                   },
                   "the input must be [N, C, H, W]"},
                  {"a weight of rank 3",
                   [] {
                     conv2d(ones({1, 2, 5, 5}), ones({4, 2, 3}));
                   },
                   "the weight must be"},
                  {"a kernel that is too large",
                   [] {
                     conv2d(ones({1, 2, 2, 5}), ones({4, 2, 3, 3}));
                   },
                   "is larger than the input"},
                  {"groups that do not divide",
                   [] {
                     conv2d(ones({1, 4, 5, 5}), ones({3, 2, 3, 3}), {}, {.groups = 2});
                   },
                   "3 output channels can't be divided among 2 groups"},
                  {"a stride of 0",
                   [] {
                     conv2d(ones({1, 2, 5, 5}), ones({4, 2, 3, 3}), {}, {.stride = 0});
                   },
                   "stride must be at least 1"},
                  {"a negative padding",
                   [] {
                     conv2d(ones({1, 2, 5, 5}), ones({4, 2, 3, 3}), {}, {.padding = {0, -1}});
                   },
                   "the padding can't be negative, got (0, -1)"},
                  {"a bias of another size",
                   [] {
                     conv2d(ones({1, 2, 5, 5}), ones({4, 2, 3, 3}), ones({3}));
                   },
                   "the bias must be [4]"},
                  {"integers",
                   [] {
                     conv2d(ones({1, 2, 5, 5}, {.dtype = int64}), ones({4, 2, 3, 3}, {.dtype = int64}));
                   },
                   "one floating point dtype"},
                  {"two dtypes",
                   [] {
                     conv2d(ones({1, 2, 5, 5}), ones({4, 2, 3, 3}, {.dtype = float64}));
                   },
                   "float32 and float64"}};
  return row;
}

const Conv2dOptions uneven{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2};

const Rows rows{
    with_failures(conv_case("",
                            {{{{2, 2, 4, 5}}, {{3, 2, 3, 2}}, {{3}}},
                             {{{1, 1, 3, 3}}, {{1, 1, 1, 1}}},
                             {{{2, 4, 3}}, {{2, 2, 3, 3}}},
                             {{{0, 2, 4, 5}}, {{3, 2, 3, 2}}, {{3}}}},
                            {})),
    conv_case("padded", {{{{2, 2, 3, 4}}, {{2, 2, 3, 3}}, {{2}}}, {{{1, 1, 1, 1}}, {{2, 1, 3, 3}}}},
              {.padding = 1}),
    conv_case("strided", {{{{1, 2, 5, 6}}, {{2, 2, 3, 3}}}}, {.stride = 2, .padding = 1}),
    conv_case("dilated", {{{{1, 2, 5, 6}}, {{2, 2, 2, 3}}}}, {.dilation = 2}),
    conv_case("grouped", {{{{2, 4, 3, 3}}, {{6, 2, 2, 2}}, {{6}}}}, {.groups = 2}),
    conv_case("depthwise", {{{{1, 3, 4, 4}}, {{3, 1, 3, 3}}}}, {.padding = 1, .groups = 3}),
    conv_case("uneven", {{{{2, 4, 5, 4}}, {{4, 2, 3, 2}}, {{4}}}}, uneven),
    {.op = "conv2d_input",
     .inputs = {{{{4, 2, 3, 2}}, {{2, 4, 3, 6}}}},
     .run =
         [](const Args& a) {
           return conv2d_input({2, 4, 5, 4}, a[0], a[1], uneven);
         },
     .reference =
         [](std::vector<Plain> in) {
           Plain x = make({2, 4, 5, 4});
           each_product(x, in[0], in[1], uneven, [](double& x, double& w, double& g) { x += w * g; });
           return x;
         },
     .failures = {{"a gradient of another shape",
                   [] {
                     conv2d_input({1, 2, 5, 5}, ones({4, 2, 3, 3}), ones({1, 4, 5, 5}));
                   },
                   "the gradient must be [1, 4, 3, 3]"}}},
    {.op = "conv2d_weight",
     .inputs = {{{{2, 4, 5, 4}}, {{2, 4, 3, 6}}}},
     .run =
         [](const Args& a) {
           return conv2d_weight(a[0], {4, 2, 3, 2}, a[1], uneven);
         },
     .reference =
         [](std::vector<Plain> in) {
           Plain w = make({4, 2, 3, 2});
           each_product(in[0], w, in[1], uneven, [](double& x, double& w, double& g) { w += x * g; });
           return w;
         },
     .failures = {{"a gradient of another shape",
                   [] {
                     conv2d_weight(ones({1, 2, 5, 5}), {4, 2, 3, 3}, ones({1, 4, 5, 5}));
                   },
                   "the gradient must be [1, 4, 3, 3]"}}},
};

}  // namespace
}  // namespace espalier::test
