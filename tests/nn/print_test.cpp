#include <sstream>

#include <gtest/gtest.h>

#include "nn/models.h"

namespace espalier::test {
namespace {

TEST(Print, of_a_leaf_is_one_line) {
  struct Bare : nn::Module<Bare> {};
  EXPECT_EQ(to_string(Scale{}), "Scale(size=2)");
  EXPECT_EQ(to_string(Bare{}), "Bare()");
}

TEST(Print, nests_and_rolls_equal_neighbours_of_a_list_up) {
  struct Model : nn::Module<Model> {
    Scale in{.size = 3};
    std::vector<Block> blocks = std::vector<Block>(4);
    std::vector<Scale> none;
    std::map<std::string, Scale> heads = {{"a", Scale{}}};
    nn::Sequential sequence{Scale{}, Scale{}};
  };
  Model model;
  model.blocks[3].down.emplace();
  std::ostringstream out;
  out << model;
  EXPECT_EQ(out.str(), R"(Model(
  (in): Scale(size=3)
  (blocks): ModuleList(
    (0-2): 3 x Block(
      (first): Scale(size=2)
    )
    (3): Block(
      (first): Scale(size=2)
      (down): Scale(size=2)
    )
  )
  (none): ModuleList()
  (heads): ModuleDict(
    (a): Scale(size=2)
  )
  (sequence): Sequential(
    (0): Scale(size=2)
    (1): Scale(size=2)
  )
))");
}

TEST(Print, of_parameters_in_a_list_says_their_sizes) {
  struct Model : nn::Module<Model> {
    std::vector<nn::Parameter> free;
  };
  Model model;
  model.free.emplace_back(ones({2, 3}));
  EXPECT_EQ(to_string(model), R"(Model(
  (free): ParameterList(
      (0): Parameter containing: [torch.float32 of size 2x3]
  )
))");
}

TEST(Print, indents_settings_of_several_lines) {
  struct Two : nn::Module<Two> {
    std::string extra_repr() const { return "a=1\nb=2"; }
  };
  struct With : nn::Module<With> {
    Scale child;
    std::string extra_repr() const { return "a=1"; }
  };
  EXPECT_EQ(to_string(Two{}), "Two(\n  a=1\n  b=2\n)");
  EXPECT_EQ(to_string(With{}), "With(\n  a=1\n  (child): Scale(size=2)\n)");
}

}  // namespace
}  // namespace espalier::test
