#include <gmock/gmock.h>

#include "nn/models.h"

namespace espalier::test {
namespace {

struct Plain : nn::Module<Plain> {
  std::vector<Block> blocks = std::vector<Block>(2);
  std::map<std::string, Scale> named = {{"a", Scale{}}};
  std::optional<Head> head = Head(2);
  nn::Sequential sequence{Scale{}, Scale{}};
};

TEST(Copy, shares_no_tensor_with_its_source) {
  Plain source;
  Plain copy = source;
  auto a = source.state_dict(), b = copy.state_dict();
  ASSERT_EQ(a.size(), b.size());
  for (auto& [name, tensor] : a) {
    EXPECT_FALSE(tensor.is_same(b[name])) << name;
    EXPECT_NE(tensor.array().storage, b[name].array().storage) << name;
    EXPECT_EQ(tensor.to_vector<float>(), b[name].to_vector<float>()) << name;
  }
}

TEST(Copy, leaves_gradients_behind_and_keeps_what_is_frozen) {
  Scale source;
  source.weight.set_grad(ones({2}));
  source.requires_grad_(false);
  Scale copy = source;
  EXPECT_FALSE(copy.weight.grad().defined());
  EXPECT_FALSE(copy.weight.requires_grad());
}

TEST(Copy, assignment_keeps_the_targets_tensors) {
  Plain source, target;
  source.blocks[1].first.weight.detach().fill_(7);
  Tensor held = target.blocks[1].first.weight;
  target = source;
  EXPECT_EQ(held.to_vector<float>(), (std::vector<float>{7, 7}));
  EXPECT_FALSE(held.is_same(source.blocks[1].first.weight));
  target = *&target;
  EXPECT_EQ(held.to_vector<float>(), (std::vector<float>{7, 7}));
}

TEST(Copy, moving_keeps_the_tensors) {
  Plain source;
  Tensor held = source.blocks[0].first.weight;
  Plain moved = std::move(source);
  EXPECT_TRUE(held.is_same(moved.blocks[0].first.weight));
}

struct Tied : nn::Module<Tied> {
  Scale in;
  std::vector<Block> blocks = std::vector<Block>(3);
  std::optional<Scale> extra = Scale{};
  nn::Sequential sequence{Scale{}, Head(2)};
  Scale out;
};

Tied tied() {
  Tied t;
  t.out.weight.tie(t.in.weight);
  t.extra->weight.tie(t.in.weight);
  t.blocks[2].first.weight.tie(t.blocks[0].first.weight);
  t.get_parameter("sequence.0.weight").tie(t.get_parameter("sequence.1.norm_.weight"));
  return t;
}

void expect_tied(Tied& t) {
  EXPECT_TRUE(t.in.weight.is_same(t.out.weight));
  EXPECT_TRUE(t.in.weight.is_same(t.extra->weight));
  EXPECT_TRUE(t.blocks[2].first.weight.is_same(t.blocks[0].first.weight));
  EXPECT_TRUE(t.get_parameter("sequence.0.weight").is_same(t.get_parameter("sequence.1.norm_.weight")));
  EXPECT_FALSE(t.in.weight.is_same(t.blocks[0].first.weight));
  EXPECT_FALSE(t.blocks[1].first.weight.is_same(t.blocks[0].first.weight));
  EXPECT_EQ(t.parameters().size(), 5u);
}

TEST(Ties, are_one_parameter_with_several_names) {
  Tied t = tied();
  expect_tied(t);
  EXPECT_EQ(t.named_parameters()[0].first, "in.weight");
  EXPECT_TRUE(t.state_dict().contains("out.weight"));
}

TEST(Ties, stay_inside_a_copy) {
  Tied source = tied();
  Tied copy = source;
  expect_tied(copy);
  EXPECT_FALSE(copy.in.weight.is_same(source.in.weight));
  Tied second = source;
  expect_tied(second);
  EXPECT_FALSE(second.in.weight.is_same(copy.in.weight));
}

TEST(Ties, follow_an_assignment) {
  Tied target, source = tied();
  source.in.weight.detach().fill_(4);
  target = source;
  expect_tied(target);
  EXPECT_EQ(target.out.weight.to_vector<float>(), (std::vector<float>{4, 4}));
}

TEST(Ties, are_loosed_by_an_assignment_from_what_has_none) {
  Tied target = tied(), source;
  source.in.weight.detach().fill_(4);
  source.out.weight.detach().fill_(5);
  target = source;
  EXPECT_EQ(target.in.weight.to_vector<float>(), (std::vector<float>{4, 4}));
  EXPECT_EQ(target.out.weight.to_vector<float>(), (std::vector<float>{5, 5}));
}

TEST(Ties, stay_inside_each_of_many_copies) {
  struct Outer : nn::Module<Outer> {
    std::vector<Tied> many;
  };
  Outer source;
  for (int i = 0; i < 2; ++i) source.many.push_back(tied());
  source.many[1].blocks[1].first.weight.tie(source.many[0].in.weight);
  Outer copy = source;
  for (Tied& t : copy.many) EXPECT_TRUE(t.in.weight.is_same(t.out.weight));
  EXPECT_FALSE(copy.many[0].in.weight.is_same(copy.many[1].in.weight));
  EXPECT_TRUE(copy.many[1].blocks[1].first.weight.is_same(copy.many[0].in.weight));
}

TEST(Ties, reach_no_further_than_the_copied_module) {
  Tied source = tied();
  Scale in = source.in;
  Scale out = source.out;
  EXPECT_FALSE(in.weight.is_same(out.weight));
  nn::Parameter alone = source.in.weight;
  EXPECT_FALSE(alone.is_same(source.in.weight));
}

TEST(Ties, survive_a_copy_that_failed_before) {
  struct Fails {
    Fails() = default;
    Fails(const Fails& source) {
      if (source.armed) throw ValueError("no");
    }
    bool armed = false;
  };
  struct Fragile : nn::Module<Fragile> {
    Scale a, b;
    Fails middle;
    Scale c;
  };
  Fragile source;
  source.b.weight.tie(source.a.weight);
  source.c.weight.tie(source.a.weight);
  source.middle.armed = true;
  EXPECT_THROW(Fragile copy = source, ValueError);
  Scale alone = source.c;
  EXPECT_FALSE(alone.weight.is_same(source.c.weight));
  source.middle.armed = false;
  Fragile copy = source;
  EXPECT_TRUE(copy.a.weight.is_same(copy.c.weight));
  EXPECT_FALSE(copy.a.weight.is_same(alone.weight));
}

}  // namespace
}  // namespace espalier::test
