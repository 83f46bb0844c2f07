#include <gmock/gmock.h>

#include <espalier/autograd/recorder.h>

#include "error_of.h"
#include "nn/models.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;

TEST(Call, error_names_the_innermost_module_once) {
  Net net;
  net.blocks[1].first.size = 5;
  EXPECT_EQ(error_of([&] { net(ones({1, 2})); }), "blocks.1.first (Scale): expected 5 features, got 2");
  EXPECT_THROW(net(ones({1, 2})), ShapeError);
}

TEST(Call, error_of_the_outermost_module_names_its_kind) {
  EXPECT_EQ(error_of([] { Scale()(ones({3})); }), "Scale: expected 2 features, got 3");
}

TEST(Call, error_that_a_forward_handles_is_forgotten) {
  struct Careful : nn::Module<Careful> {
    Scale a, b{.size = 7};
    Tensor forward(const Tensor& x) {
      try {
        return b(x);
      } catch (const ShapeError&) {
        return a(x);
      }
    }
  };
  Careful careful;
  EXPECT_EQ(careful(ones({2})).numel(), 2);
  EXPECT_EQ(error_of([&] { careful(ones({3})); }), "a (Scale): expected 2 features, got 3");
}

TEST(Call, a_module_made_in_a_forward_goes_by_its_kind) {
  struct Outer : nn::Module<Outer> {
    Tensor forward(const Tensor& x) { return Scale{.size = 9}(x); }
  };
  struct Top : nn::Module<Top> {
    Outer outer;
    Tensor forward(const Tensor& x) { return outer(x); }
  };
  EXPECT_EQ(error_of([] { Top()(ones({3})); }), "outer.Scale (Scale): expected 9 features, got 3");
}

TEST(Call, passes_arguments_and_results_of_any_kind) {
  struct Many : nn::Module<Many> {
    std::pair<Tensor, int> forward(const Tensor& x, int n, std::unique_ptr<int> p) { return {x, n + *p}; }
  };
  struct Nothing : nn::Module<Nothing> {
    void forward(int& n) const { ++n; }
  };
  EXPECT_EQ(Many()(ones({1}), 3, std::make_unique<int>(4)).second, 7);
  int n = 1;
  const Nothing nothing;
  nothing(n);
  EXPECT_EQ(n, 2);
}

struct Log : Recorder {
  void enter(const Scope& s, std::span<const Tensor> in) override {
    lines.push_back(concat("enter ", s.path, " ", s.kind, "(", s.settings, ") ", in.size()));
  }
  void leave(std::span<const Tensor> out) override { lines.push_back(concat("leave ", out.size())); }
  int64_t operation(const char* op, const Inputs&, const Tensor&, Attrs) override {
    lines.emplace_back(op);
    return 0;
  }
  void backward_begin(const char*, int64_t) override {}
  void backward_end(const char*, int64_t, const Tensor&) override {}
  std::vector<std::string> lines;
};

TEST(Call, tells_the_recorder_what_runs_where) {
  Net net;
  net.blocks.resize(1);
  Log log;
  {
    RecorderScope scope(&log);
    net(ones({1, 2}));
  }
  EXPECT_THAT(log.lines, ElementsAre("enter  Net() 1", "enter head Head() 1",
                                     "enter head.norm_ Scale(size=2) 1", "mul", "leave 1", "add", "leave 1",
                                     "enter blocks.0 Block() 1", "enter blocks.0.first Scale(size=2) 1",
                                     "mul", "leave 1", "leave 1", "mul", "leave 1"));
}

TEST(Call, leaves_in_the_record_what_it_entered_when_it_fails) {
  Log log;
  {
    RecorderScope scope(&log);
    EXPECT_THROW(Block()(ones({7})), ShapeError);
  }
  EXPECT_THAT(log.lines,
              ElementsAre("enter  Block() 1", "enter first Scale(size=2) 1", "leave 0", "leave 0"));
}

}  // namespace
}  // namespace espalier::test
