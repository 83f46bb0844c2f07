#include <espalier/ops/pool.h>

#include <algorithm>
#include <cmath>

#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/creation.h>
#include "op_case.h"

namespace espalier::test {
namespace {

struct Window {
  Pair kernel, stride, padding = 0, dilation = 1;
  bool ceil_mode = false;
};

// y of [N, C, OH, OW]: f(values of the window inside the image, how many there are with the padding).
Plain pooled(Plain x, const Window& o, const std::function<double(const std::vector<double>&, int64_t)>& f) {
  bool batch = x.shape.rank() == 4;
  if (!batch) x.shape.insert(0, 1);
  auto out = [&](int64_t in, int64_t k, int64_t s, int64_t p, int64_t d) {
    double room = static_cast<double>(in + 2 * p - d * (k - 1) - 1) / static_cast<double>(s);
    auto n = static_cast<int64_t>(o.ceil_mode ? std::ceil(room) : std::floor(room)) + 1;
    return o.ceil_mode && (n - 1) * s >= in + p ? n - 1 : n;
  };
  int64_t ih = x.shape[2], iw = x.shape[3];
  Plain y = make({x.shape[0], x.shape[1], out(ih, o.kernel.h, o.stride.h, o.padding.h, o.dilation.h),
                  out(iw, o.kernel.w, o.stride.w, o.padding.w, o.dilation.w)});
  size_t at = 0;
  for (int64_t image = 0; image < x.shape[0] * x.shape[1]; ++image) {
    for (int64_t i = 0; i < y.shape[2]; ++i) {
      for (int64_t j = 0; j < y.shape[3]; ++j) {
        std::vector<double> inside;
        int64_t padded = 0;
        for (int64_t p = 0; p < o.kernel.h; ++p) {
          for (int64_t q = 0; q < o.kernel.w; ++q) {
            int64_t h = i * o.stride.h - o.padding.h + p * o.dilation.h,
                    w = j * o.stride.w - o.padding.w + q * o.dilation.w;
            padded += h < ih + o.padding.h && w < iw + o.padding.w;
            if (h >= 0 && w >= 0 && h < ih && w < iw) inside.push_back(x.v[(image * ih + h) * iw + w]);
          }
        }
        y.v[at++] = f(inside, padded);
      }
    }
  }
  if (!batch) y.shape.erase(0);
  return y;
}

double sum(const std::vector<double>& v) {
  double s = 0;
  for (double x : v) s += x;
  return s;
}

OpCase max_case(const std::string& label, std::vector<Shape> shapes, const Window& o) {
  std::vector<std::vector<In>> inputs;
  for (const Shape& s : shapes) inputs.push_back({{.shape = s, .distinct = true}});
  return {
      .op = "max_pool2d",
      .inputs = inputs,
      .run =
          [o](const Args& a) {
            return max_pool2d(
                a[0], o.kernel,
                {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .ceil_mode = o.ceil_mode});
          },
      .reference =
          [o](const std::vector<Plain>& in) {
            return pooled(in[0], o, [](const std::vector<double>& v, int64_t) {
              return *std::max_element(v.begin(), v.end());
            });
          },
      .label = label};
}

OpCase avg_case(const std::string& label, std::vector<Shape> shapes, const Window& o, bool include_pad = true,
                int64_t divisor = 0) {
  std::vector<std::vector<In>> inputs;
  for (const Shape& s : shapes) inputs.push_back({{.shape = s}});
  return {.op = "avg_pool2d",
          .inputs = inputs,
          .run =
              [=](const Args& a) {
                return avg_pool2d(a[0], o.kernel,
                                  {.stride = o.stride,
                                   .padding = o.padding,
                                   .ceil_mode = o.ceil_mode,
                                   .count_include_pad = include_pad,
                                   .divisor_override = divisor});
              },
          .reference =
              [=](const std::vector<Plain>& in) {
                return pooled(in[0], o, [=](const std::vector<double>& v, int64_t padded) {
                  return sum(v) / static_cast<double>(divisor       ? divisor
                                                      : include_pad ? padded
                                                                    : static_cast<int64_t>(v.size()));
                });
              },
          .label = label};
}

OpCase with_failures(OpCase row, std::vector<Failure> failures) {
  row.failures = std::move(failures);
  return row;
}

// The gradient of the largest of 2x2 windows of a fixed image.
Tensor scattered(const Tensor& g) {
  EnableGrad on;
  Tensor x = tensor({1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 7.0, 8.0}, {.dtype = float64})
                 .reshape({1, 1, 4, 2})
                 .requires_grad_();
  return grad(max_pool2d(x, 2), {x}, {.grad_outputs = {g}, .create_graph = true})[0];
}

const Rows rows{
    with_failures(
        max_case("", {{2, 3, 4, 6}, {0, 3, 4, 6}, {1, 5, 5}, {1, 1, 2, 2}}, {.kernel = 2, .stride = 2}),
        {{"a matrix",
          [] {
            max_pool2d(ones({3, 3}), 2);
          },
          "the input must be [N, C, H, W]"},
         {"integers",
          [] {
            max_pool2d(ones({1, 1, 3, 3}, {.dtype = int64}), 2);
          },
          "floating point"},
         {"a kernel that is too large",
          [] {
            max_pool2d(ones({1, 1, 3, 3}), {2, 4});
          },
          "larger than the input's 3"},
         {"a kernel of 0",
          [] {
            max_pool2d(ones({1, 1, 3, 3}), 0);
          },
          "kernel size must be at least 1"},
         {"too much padding",
          [] {
            max_pool2d(ones({1, 1, 3, 3}), 2, {.padding = 2});
          },
          "the padding must be from 0 to half"},
         {"a negative stride",
          [] {
            max_pool2d(ones({1, 1, 3, 3}), 2, {.stride = -1});
          },
          "stride can't be negative"}}),
    max_case("overlapping", {{2, 2, 5, 6}}, {.kernel = 3, .stride = {2, 1}, .padding = 1}),
    max_case("dilated", {{1, 2, 6, 7}}, {.kernel = {2, 3}, .stride = 1, .padding = 1, .dilation = {3, 2}}),
    max_case("ceiling", {{2, 2, 5, 6}, {1, 1, 5, 3}},
             {.kernel = 2, .stride = 2, .padding = 1, .ceil_mode = true}),
    with_failures(avg_case("", {{2, 3, 4, 6}, {0, 3, 4, 6}, {1, 5, 5}}, {.kernel = 2, .stride = 2}),
                  {{"a vector", [] { avg_pool2d(ones({3}), 2); }, "the input must be [N, C, H, W]"},
                   {"too much padding",
                    [] {
                      avg_pool2d(ones({1, 1, 3, 3}), 2, {.padding = 2});
                    },
                    "the padding must be from 0 to half"}}),
    avg_case("padded", {{2, 2, 5, 6}}, {.kernel = 3, .stride = {2, 1}, .padding = 1}),
    avg_case("without_padding", {{2, 2, 5, 6}}, {.kernel = 3, .stride = 2, .padding = 1}, false),
    avg_case("ceiling", {{2, 2, 6, 5}, {1, 1, 5, 3}},
             {.kernel = {3, 2}, .stride = 2, .padding = 1, .ceil_mode = true}),
    avg_case("divided_by", {{2, 2, 5, 6}}, {.kernel = 2, .stride = 2}, true, 3),
    {.op = "adaptive_avg_pool2d",
     .inputs = {{{{2, 3, 5, 7}}}, {{{3, 2, 2}}}, {{{0, 2, 4, 4}}}},
     .run =
         [](const Args& a) {
           return adaptive_avg_pool2d(a[0], {3, 2});
         },
     .reference =
         [](std::vector<Plain> in) {
           Plain& x = in[0];
           int r = x.shape.rank();
           int64_t ih = x.shape[r - 2], iw = x.shape[r - 1];
           Shape shape = x.shape;
           shape[r - 2] = 3, shape[r - 1] = 2;
           Plain y = make(shape);
           for (int64_t at = 0; at < shape.numel(); ++at) {
             int64_t image = at / 6, i = at / 2 % 3, j = at % 2, n = 0;
             for (int64_t h = i * ih / 3; h < ((i + 1) * ih + 2) / 3; ++h) {
               for (int64_t w = j * iw / 2; w < ((j + 1) * iw + 1) / 2; ++w, ++n)
                 y.v[at] += x.v[(image * ih + h) * iw + w];
             }
             y.v[at] /= static_cast<double>(n);
           }
           return y;
         },
     .failures = {{"an output of size 0",
                   [] {
                     adaptive_avg_pool2d(ones({1, 1, 3, 3}), {0, 1});
                   },
                   "output size must be at least 1"}}},
    // The first and second backward, of 2x2 windows of a fixed image.
    {.op = "max_pool2d_scatter",
     .inputs = {{{{1, 1, 2, 1}}}},
     .run = [](const Args& a) { return scattered(a[0]); },
     .reference =
         [](const std::vector<Plain>& in) {
           return Plain{{1, 1, 4, 2}, {0, 0, in[0].v[0], 0, 0, 0, 0, in[0].v[1]}};
         }},
    {.op = "max_pool2d_gather",
     .inputs = {{{{1, 1, 4, 2}}}},
     .run =
         [](const Args& a) {
           EnableGrad on;
           Tensor g = ones({1, 1, 2, 1}, {.dtype = float64, .requires_grad = true});
           return grad(scattered(g), {g}, {.grad_outputs = {a[0]}, .create_graph = true})[0];
         },
     .reference =
         [](const std::vector<Plain>& in) {
           return Plain{{1, 1, 2, 1}, {in[0].v[2], in[0].v[7]}};
         }},
    {.op = "avg_pool2d_input",
     .inputs = {{{{1, 1, 2, 1}}}},
     .run =
         [](const Args& a) {
           EnableGrad on;
           Tensor x = ones({1, 1, 4, 2}, {.dtype = float64, .requires_grad = true});
           return grad(avg_pool2d(x, 2), {x}, {.grad_outputs = {a[0]}, .create_graph = true})[0];
         },
     .reference =
         [](const std::vector<Plain>& in) {
           double a = in[0].v[0] / 4, b = in[0].v[1] / 4;
           return Plain{{1, 1, 4, 2}, {a, a, a, a, b, b, b, b}};
         }},
};

}  // namespace
}  // namespace espalier::test
