#include <espalier/nn/inspect.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/allocator.h>
#include <espalier/core/random.h>
#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>
#include <espalier/view/data_flow.h>

namespace espalier::nn {
namespace {

using testing::HasSubstr;

struct Cnn : Module<Cnn> {
  Conv2d conv{3, 32, 3, {.padding = 1}};
  ReLU relu;
  Linear fc{32 * 32 * 32, 10};

  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

struct Residual : Module<Residual> {
  Conv2d conv{4, 4, 3, {.padding = 1}};
  BatchNorm2d bn{4};
  Dropout drop{0.5};
  Tensor forward(const Tensor& x) { return drop(bn(conv(x)).relu() + x); }
};

struct Tied : Module<Tied> {
  Linear a{8, 8, {.bias = false}}, b{8, 8, {.bias = false}};
  Tied() { b.weight.tie(a.weight); }
  Tensor forward(const Tensor& x) { return b(a(a(x))); }
  ESPALIER_FIELDS(Tied, a, b)
};

TEST(Check, FindsTheShapeOfTheOutput) {
  Cnn model;
  EXPECT_EQ(model.check({64, 3, 32, 32}), Shape({64, 10}));
}

TEST(Check, GivesTheErrorOfARealRunWithTheModulesPath) {
  Cnn model;
  try {
    model.check({64, 3, 16, 16});
    FAIL() << "accepted";
  } catch (const ShapeError& e) {
    EXPECT_THAT(e.what(), HasSubstr("fc (Linear): "));
    EXPECT_THAT(e.what(), HasSubstr("8192"));
    EXPECT_THAT(e.what(), HasSubstr("32768"));
  }
}

TEST(Check, NeedsNoMemoryAndChangesNothing) {
  Residual model;
  manual_seed(1);
  auto before = model.bn.running_mean.to_vector<float>();
  auto state = default_generator().state();
  reset_peak_memory();
  int64_t in_use = memory_stats().peak;
  model.check({1 << 20, 4, 512, 512});  // four tebibytes
  EXPECT_LT(memory_stats().peak - in_use, 1 << 20);
  EXPECT_EQ(model.bn.running_mean.to_vector<float>(), before);
  EXPECT_EQ(model.bn.num_batches_tracked.item<int64_t>(), 0);
  EXPECT_EQ(default_generator().state(), state);
}

TEST(Summary, ShowsEachLayerAndTheTotals) {
  Cnn model;
  EXPECT_EQ(model.summary({64, 3, 32, 32}),
            "  Layer (type)      Output shape      Parameters        FLOPs\n"
            "  Cnn               [64, 10]                   -            -\n"
            "  ├─ conv (Conv2d)  [64, 32, 32, 32]         896  113,246,208\n"
            "  ├─ relu (ReLU)    [64, 32, 32, 32]           -    2,097,152\n"
            "  └─ fc (Linear)    [64, 10]             327,690   41,943,040\n"
            "Parameters: 328,586 (328,586 trainable, 0 not)\n"
            "FLOPs: 157,286,400\n"
            "Memory: input 0.79 MB, activations 25.17 MB, parameters 1.31 MB\n");
}

TEST(Summary, CountsASharedParameterOnceAndMarksReuse) {
  Tied model;
  auto text = model.summary({2, 8});
  EXPECT_THAT(text, HasSubstr("Parameters: 64 (64 trainable, 0 not)"));
  EXPECT_THAT(text, HasSubstr("(shared)"));
  EXPECT_THAT(text, HasSubstr("[2, 8] ×2"));
}

TEST(Trace, NamesParametersAndGivesTheOutput) {
  Cnn model;
  auto [output, record] = model.trace(zeros({2, 3, 32, 32}));
  EXPECT_EQ(output.shape(), Shape({2, 10}));
  EXPECT_FALSE(output.requires_grad());
  bool named = false;
  for (const auto& t : record.tensors) named |= t.name == "fc.weight";
  EXPECT_TRUE(named);
  EXPECT_EQ(record.calls[0].kind, "Cnn");
}

TEST(DataFlow, HasARowForEachStageAndFunctionalOperation) {
  Residual model;
  auto flow = view::data_flow(model.trace(zeros({2, 4, 8, 8})).record);
  for (const char* part : {"input", "[2, 4, 8, 8]", "2 images × 4 channels × 8 × 8 pixels",
                           "4 filters of 3×3", "bn", "relu", "add", "drop"}) {
    EXPECT_THAT(flow, HasSubstr(part));
  }
}

}  // namespace
}  // namespace espalier::nn
