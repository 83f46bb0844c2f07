#include <cmath>

#include <gtest/gtest.h>

#include <espalier/io/safetensors.h>
#include <espalier/nn/nn.h>

// Losses against PyTorch: golden/losses.safetensors, written by golden/make.py.
namespace espalier::test {
namespace {

const io::SafetensorsFile& golden() {
  static const io::SafetensorsFile file("golden/losses.safetensors");
  return file;
}

// A case: its tensors, and its settings, which are JSON such as {"label_smoothing": 0.1, "reduction":
// "none"}.
class Case {
 public:
  explicit Case(std::string name) : name_(std::move(name)), settings_(golden().metadata().at(name_)) {}

  bool is(std::string_view function) const { return name_.starts_with(function); }
  Tensor read(const std::string& tensor) const {
    return Tensor(golden().array(name_ + "/" + tensor)).clone();
  }
  Tensor weight(const std::string& name) const {
    return settings_.find("\"" + name + "\"") == settings_.npos ? Tensor() : read("input." + name);
  }
  double number(const std::string& name, double otherwise) const {
    auto at = settings_.find("\"" + name + "\": ");
    return at == settings_.npos ? otherwise : std::stod(settings_.substr(at + name.size() + 4));
  }
  nn::Reduction reduction() const {
    if (name_.ends_with("_none")) return nn::Reduction::none;
    return name_.ends_with("_sum") ? nn::Reduction::sum : nn::Reduction::mean;
  }

 private:
  std::string name_, settings_;
};

Tensor loss(const Case& c, const Tensor& x, const Tensor& target) {
  auto ignored = static_cast<int64_t>(c.number("ignore_index", -100));
  if (c.is("cross_entropy")) {
    return nn::CrossEntropyLoss{.weight = c.weight("weight"),
                                .ignore_index = ignored,
                                .reduction = c.reduction(),
                                .label_smoothing = c.number("label_smoothing", 0)}(x, target);
  }
  if (c.is("nll_loss")) {
    return nn::NLLLoss{.weight = c.weight("weight"), .ignore_index = ignored, .reduction = c.reduction()}(
        nn::log_softmax(x, 1), target);
  }
  if (c.is("mse_loss")) return nn::MSELoss{.reduction = c.reduction()}(x, target);
  if (c.is("l1_loss")) return nn::L1Loss{.reduction = c.reduction()}(x, target);
  return nn::BCEWithLogitsLoss{.weight = c.weight("weight"),
                               .reduction = c.reduction(),
                               .pos_weight = c.weight("pos_weight")}(x, target);
}

void expect_near(const Tensor& got, const Tensor& want) {
  ASSERT_EQ(got.shape(), want.shape());
  auto a = got.to_vector<double>(), b = want.to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-12 * (1 + std::abs(b[i]))) << "at " << i;
}

TEST(GoldenLoss, is_pytorchs) {
  for (auto& [name, settings] : golden().metadata()) {
    if (name == "made_by") continue;
    SCOPED_TRACE(name);
    Case c(name);
    Tensor x = c.read("input.x").requires_grad_();
    Tensor y = loss(c, x, c.read("input.target"));
    expect_near(y, c.read("output"));
    y.backward(c.read("input.cotangent"));
    expect_near(x.grad(), c.read("grad.x"));
  }
}

}  // namespace
}  // namespace espalier::test
