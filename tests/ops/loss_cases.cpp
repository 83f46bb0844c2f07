#include <cmath>

#include <espalier/ops/creation.h>
#include <espalier/ops/loss.h>

#include "op_case.h"

namespace espalier::test {
namespace {

// Losses of labels in plain loops. x is [N, C, M] in row-major order, whatever its shape says.
struct Labelled {
  std::vector<double> weight = {};
  int64_t ignore = -100;
  double smoothing = 0;
  bool from_logits = true;

  double weight_of(int64_t c) const { return weight.empty() ? 1 : weight[c]; }

  Plain operator()(const Plain& x, const Plain& target, Reduction reduction) const {
    int64_t classes = x.shape[x.shape.rank() == 1 ? 0 : 1];
    int64_t batch = x.shape.rank() == 1 ? 1 : x.shape[0];
    int64_t inner = static_cast<int64_t>(target.v.size()) / std::max<int64_t>(batch, 1);
    Plain losses = make(target.shape);
    double total = 0, sum = 0;
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t m = 0; m < inner; ++m) {
        auto label = static_cast<int64_t>(target.v[n * inner + m]);
        if (label == ignore) continue;
        double lse = 0, smooth = 0;
        for (int64_t c = 0; c < classes; ++c) lse += std::exp(x.v[(n * classes + c) * inner + m]);
        lse = from_logits ? std::log(lse) : 0;
        for (int64_t c = 0; c < classes; ++c) {
          smooth -= weight_of(c) * (x.v[(n * classes + c) * inner + m] - lse) / classes;
        }
        double sharp = -weight_of(label) * (x.v[(n * classes + label) * inner + m] - lse);
        double loss = (1 - smoothing) * sharp + smoothing * smooth;
        losses.v[n * inner + m] = loss;
        sum += loss;
        total += weight_of(label);
      }
    }
    if (reduction == Reduction::none) return losses;
    return make({}, reduction == Reduction::sum ? sum : sum / total);
  }
};

const std::vector<double> kWeight = {0.5, 2, 0, 1.25, 3};
Tensor weight_tensor() { return tensor(kWeight); }

// Five classes; label 1 is ignored where the row says so.
const std::vector<std::vector<In>> kLabelled = {
    {{{4, 5}}, {{4}, 0, 5, int64}},       {{{5}}, {{}, 3, 5, int64}},
    {{{2, 5, 3}}, {{2, 3}, 0, 5, int32}}, {{{2, 5, 3, 4}}, {{2, 3, 4}, 0, 5, int64}},
    {{{20, 37}}, {{20}, 0, 37, int64}},   {{{0, 5}}, {{0}, 0, 5, int64}},
    {{{3, 5, 0}}, {{3, 0}, 0, 5, uint8}}};
const std::vector<std::vector<In>> kFiveClasses = {kLabelled[0], kLabelled[1], kLabelled[2], kLabelled[3],
                                                   kLabelled[5]};

OpCase of_labels(const char* op, std::string label, CrossEntropyOptions o) {
  bool weighted = o.weight.defined();
  Labelled plain{weighted ? kWeight : std::vector<double>(), o.ignore_index, o.label_smoothing};
  return {.op = op,
          .inputs = weighted ? kFiveClasses : kLabelled,
          .run = [o](const Args& in) { return cross_entropy(in[0], in[1], o); },
          .reference = [=](const std::vector<Plain>& in) { return plain(in[0], in[1], o.reduction); },
          .label = std::move(label)};
}

OpCase nll(std::string label, NllLossOptions o) {
  bool weighted = o.weight.defined();
  Labelled plain{weighted ? kWeight : std::vector<double>(), o.ignore_index, 0, false};
  return {.op = "nll_loss",
          .inputs = weighted ? kFiveClasses : kLabelled,
          .run = [o](const Args& in) { return nll_loss(in[0], in[1], o); },
          .reference = [=](const std::vector<Plain>& in) { return plain(in[0], in[1], o.reduction); },
          .failures = {{"labels of another shape",
                        [] {
                          nll_loss(zeros({4, 5}), zeros({5}, {.dtype = int64}));
                        },
                        "nll_loss: labels for an input of [4, 5] must have the shape [4], got [5]"},
                       {"labels of floats",
                        [] {
                          nll_loss(zeros({4, 5}), zeros({4}));
                        },
                        "must be int64"},
                       {"a weight of another length",
                        [] {
                          nll_loss(zeros({4, 5}), zeros({4}, {.dtype = int64}), {.weight = ones({4})});
                        },
                        "the weight must be [5]"},
                       {"an input of integers",
                        [] {
                          nll_loss(zeros({4, 5}, {.dtype = int64}), zeros({4}, {.dtype = int64}));
                        },
                        "needs a floating point tensor, got int64"}},
          .grad2 = false,
          .label = std::move(label)};
}

// The gradient of nll_loss as a function of the cotangent.
Tensor nll_gradient(const Args& in) {
  Tensor x = zeros(in[2].shape(), {.dtype = float64, .requires_grad = true});
  Tensor y = nll_loss(x, in[1], {.weight = weight_tensor(), .ignore_index = 1, .reduction = Reduction::none});
  return grad(y, {x}, {.grad_outputs = {in[0]}, .create_graph = true})[0];
}

Plain plain_nll_gradient(const std::vector<Plain>& in) {
  Plain gx = make(in[2].shape);
  for (int64_t n = 0; n < gx.shape[0]; ++n) {
    for (int64_t m = 0; m < gx.shape[2]; ++m) {
      auto label = static_cast<int64_t>(in[1].at({n, m}));
      if (label != 1) gx.at({n, label, m}) = -kWeight[label] * in[0].at({n, m});
    }
  }
  return gx;
}

// Soft targets with weights and smoothing, averaged.
Plain plain_soft(const std::vector<Plain>& in) {
  const Plain &x = in[0], &target = in[1];
  int64_t inner = x.shape.rank() > 2 ? x.shape[2] : 1, rows = x.shape[0] * inner;
  double sum = 0;
  for (int64_t r = 0; r < rows; ++r) {
    auto at = [&](int64_t c) { return (r / inner * 5 + c) * inner + r % inner; };
    double lse = 0;
    for (int64_t c = 0; c < 5; ++c) lse += std::exp(x.v[at(c)]);
    for (int64_t c = 0; c < 5; ++c) {
      sum -= kWeight[c] * (0.7 * target.v[at(c)] + 0.3 / 5) * (x.v[at(c)] - std::log(lse));
    }
  }
  return make({}, sum / rows);
}

using Loss = double (*)(double x, double target);

OpCase of_elements(const char* op, std::string label,
                   Tensor (*run)(const Tensor&, const Tensor&, LossOptions), Loss loss) {
  return {.op = op,
          .inputs = {{{{3, 4}, 1, 3}, {{3, 4}, -2, 0.5}}, {{{0, 4}}, {{0, 4}}}, {{{}, 1, 3}, {{}, -2, 0.5}}},
          .run = [run](const Args& in) { return run(in[0], in[1], {}); },
          .reference =
              [loss](const std::vector<Plain>& in) {
                double sum = 0;
                for (size_t i = 0; i < in[0].v.size(); ++i) sum += loss(in[0].v[i], in[1].v[i]);
                return make({}, sum / in[0].v.size());
              },
          .failures = {{"shapes that would broadcast",
                        [run] {
                          run(zeros({4, 1}), zeros({4}), {});
                        },
                        "the input is [4, 1] and the target [4]; they must have the same shape"},
                       {"integers", [run] { run(zeros({2}, {.dtype = int64}), zeros({2}), {}); },
                        "needs a floating point tensor, got int64"}},
          .label = std::move(label)};
}

double plain_bce(double x, double target, double pos_weight) {
  double p = 1 / (1 + std::exp(-x));
  return -(pos_weight * target * std::log(p) + (1 - target) * std::log1p(-p));
}

Rows rows({
    of_labels("cross_entropy", "mean", {}),
    of_labels("cross_entropy", "sum", {.ignore_index = 1, .reduction = Reduction::sum}),
    of_labels("cross_entropy", "ignoring", {.ignore_index = 1}),
    of_labels("nll_loss", "cross_entropy_none", {.ignore_index = 1, .reduction = Reduction::none}),
    of_labels("nll_loss", "cross_entropy_smoothing", {.ignore_index = 1, .label_smoothing = 0.2}),
    of_labels("nll_loss", "cross_entropy_weights",
              {.weight = weight_tensor(), .ignore_index = 1, .label_smoothing = 0.2}),
    nll("mean", {}),
    nll("sum", {.ignore_index = 1, .reduction = Reduction::sum}),
    nll("weights", {.weight = weight_tensor(), .ignore_index = 1}),
    nll("none", {.weight = weight_tensor(), .ignore_index = 1, .reduction = Reduction::none}),
    {.op = "nll_loss_backward",
     .inputs = {{{{2, 3}}, {{2, 3}, 0, 5, int64}, {{2, 5, 3}, 0, 1, float64, false}}},
     .run = nll_gradient,
     .reference = plain_nll_gradient,
     .grad2 = false},
    {.op = "log_softmax",
     .inputs = {{{{4, 5}}, {{4, 5}, 0, 1}}, {{{2, 5, 3}}, {{2, 5, 3}, 0, 1}}, {{{0, 5}}, {{0, 5}}}},
     .run =
         [](const Args& in) {
           return cross_entropy(in[0], in[1], {.weight = weight_tensor(), .label_smoothing = 0.3});
         },
     .reference = plain_soft,
     .failures = {{"probabilities of another shape",
                   [] {
                     cross_entropy(zeros({4, 5}), zeros({4}));
                   },
                   "the target is float32, so it holds probabilities"},
                  {"too much smoothing",
                   [] {
                     cross_entropy(zeros({1, 2}), zeros({1, 2}), {.label_smoothing = 1.5});
                   },
                   "label_smoothing must be from 0 to 1, got 1.5"}},
     .label = "cross_entropy_soft"},
    of_elements("mse_loss", "mean", mse_loss, [](double x, double t) { return (x - t) * (x - t); }),
    of_elements("abs", "l1_loss", l1_loss, [](double x, double t) { return std::abs(x - t); }),
    of_elements(
        "binary_cross_entropy_with_logits", "mean",
        [](const Tensor& x, const Tensor& t, LossOptions o) {
          return binary_cross_entropy_with_logits(x, t, {.reduction = o.reduction});
        },
        [](double x, double t) { return plain_bce(x, t, 1); }),
    {.op = "binary_cross_entropy_with_logits",
     .inputs = {{{{3, 4}}, {{3, 4}, 0, 1}, {{4}, 0.5, 3}, {{3, 1}, 0.5, 2}},
                {{{0, 4}}, {{0, 4}}, {{4}}, {{1}}}},
     .run =
         [](const Args& in) {
           return binary_cross_entropy_with_logits(
               in[0], in[1], {.weight = in[3], .reduction = Reduction::none, .pos_weight = in[2]});
         },
     .reference =
         [](const std::vector<Plain>& in) {
           return map(in, [](const auto& v) { return v[3] * plain_bce(v[0], v[1], v[2]); });
         },
     .failures =
         {{"a pos_weight of another shape",
           [] {
             binary_cross_entropy_with_logits(zeros({2, 3}), zeros({2, 3}), {.pos_weight = ones({2})});
           },
           "do not broadcast"},
          {"a weight larger than the input",
           [] {
             binary_cross_entropy_with_logits(zeros({3}), zeros({3}), {.weight = ones({2, 3})});
           },
           "the weight of shape [2, 3] does not broadcast to the input's [3]"}},
     .label = "weights"},
});

}  // namespace
}  // namespace espalier::test
