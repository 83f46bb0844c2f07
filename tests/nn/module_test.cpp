#include <gmock/gmock.h>

#include "error_of.h"
#include "nn/models.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Reflection, finds_no_field_in_an_empty_module) {
  struct Empty : nn::Module<Empty> {};
  EXPECT_THAT(Empty().parameters(), IsEmpty());
  EXPECT_EQ(Empty().ref().kind(), "Empty");
}

TEST(Reflection, names_a_local_struct_and_its_members) {
  struct Local : nn::Module<Local> {
    int n = 2;
    nn::Parameter first{ones({n})};
    Scale scale{.size = n};
  };
  Local local;
  EXPECT_EQ(local.ref().kind(), "Local");
  EXPECT_THAT(names(local.named_parameters()), ElementsAre("first", "scale.weight"));
}

template <class T>
struct Pair : nn::Module<Pair<T>> {
  T a, b;
};

TEST(Reflection, names_a_template_without_its_arguments) {
  Pair<Pair<Scale>> pair;
  EXPECT_EQ(pair.ref().kind(), "Pair");
  EXPECT_THAT(names(pair.named_parameters()),
              ElementsAre("a.a.weight", "a.b.weight", "b.a.weight", "b.b.weight"));
}

struct Many : nn::Module<Many> {
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7, d0, d1,
      d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7, g0, g1, g2, g3,
      g4, g5, g6, g7;
  Scale h0, h1, h2, h3, h4, h5, h6, last;
};

TEST(Reflection, sees_64_members) { EXPECT_EQ(Many().named_children().back().first, "last"); }

struct Given : nn::Module<Given> {
  Head head;  // has no default constructor
  int n = 3;
  std::optional<Head> other;
};

TEST(Reflection, sees_members_that_must_be_given) {
  Given given{.head = Head(4)};
  EXPECT_THAT(names(given.named_children()), ElementsAre("head"));
  given.other.emplace(2);
  EXPECT_THAT(names(given.named_children()), ElementsAre("head", "other"));
}

struct Tree : nn::Module<Tree> {
  Scale here;
  std::vector<Tree> branches;
};

TEST(Reflection, sees_a_module_inside_its_own_kind) {
  Tree tree;
  tree.branches.resize(1);
  tree.branches[0].branches.resize(2);
  EXPECT_THAT(names(tree.named_parameters()),
              ElementsAre("here.weight", "branches.0.here.weight", "branches.0.branches.0.here.weight",
                          "branches.0.branches.1.here.weight"));
}

TEST(Module, base_takes_no_room) {
  EXPECT_EQ(sizeof(nn::Module<Scale>), 1u);
  struct One : nn::Module<One> {
    int64_t n;
  };
  EXPECT_EQ(sizeof(One), sizeof(int64_t));
}

TEST(Module, parameters_have_pytorchs_names_and_order) {
  Net net;
  net.named["b"];
  net.named["a"];
  net.blocks[1].down.emplace();
  net.free.emplace_back(ones({1}));
  net.free.emplace_back(ones({1}));
  EXPECT_THAT(names(net.named_parameters()),
              ElementsAre("gain", "head.offset", "head.norm_.weight", "blocks.0.first.weight",
                          "blocks.1.first.weight", "blocks.1.down.weight", "blocks.2.first.weight",
                          "named.a.weight", "named.b.weight", "pair.0.weight", "pair.1.weight",
                          "mixed.0.weight", "owned.weight", "free.0", "free.1"));
  EXPECT_EQ(net.num_parameters(), 1 + 2 + 11 * 2 + 2);
  EXPECT_TRUE(net.parameters()[0].requires_grad());
}

TEST(Module, containers_stand_among_its_modules) {
  Net net;
  auto modules = net.named_modules();
  EXPECT_EQ(modules[0].second, net.ref());
  EXPECT_THAT(names(net.named_children()),
              ElementsAre("head", "blocks", "named", "pair", "mixed", "owned", "free"));
  EXPECT_EQ(net.get_submodule("blocks").kind(), "ModuleList");
  EXPECT_EQ(net.get_submodule("named").kind(), "ModuleDict");
  EXPECT_EQ(net.get_submodule("free").kind(), "ParameterList");
  EXPECT_EQ(net.modules().size(), modules.size());
  EXPECT_EQ(net.children().size(), 7u);
}

TEST(Module, containers_nest) {
  struct Nested : nn::Module<Nested> {
    std::vector<std::vector<Scale>> grid = std::vector<std::vector<Scale>>(2, std::vector<Scale>(1));
    std::map<std::string, std::optional<Scale>> maybe;
    std::optional<nn::Parameter> bias;
    std::vector<std::vector<int>> sizes;
    std::vector<nn::AnyModule> any = {Scale{}, Block{}};
  };
  Nested nested;
  nested.maybe["none"];
  nested.maybe["some"].emplace();
  nested.bias = ones({1});
  EXPECT_THAT(names(nested.named_parameters()),
              ElementsAre("bias", "grid.0.0.weight", "grid.1.0.weight", "maybe.some.weight", "any.0.weight",
                          "any.1.first.weight"));
}

TEST(Module, buffers_are_listed_and_the_lasting_ones_are_state) {
  Scale scale;
  EXPECT_THAT(names(scale.named_buffers()), ElementsAre("seen", "scratch"));
  EXPECT_EQ(scale.buffers().size(), 2u);
  EXPECT_TRUE(scale.state_dict().contains("seen"));
  EXPECT_FALSE(scale.state_dict().contains("scratch"));
}

TEST(Module, lookup_by_path_finds_the_member) {
  Net net;
  EXPECT_EQ(net.get_submodule("blocks.1.first").as<Scale>(), &net.blocks[1].first);
  EXPECT_EQ(net.get_submodule("blocks.1.first").as<Block>(), nullptr);
  EXPECT_EQ(net.get_submodule(""), net.ref());
  EXPECT_EQ(&net.get_parameter("head.offset"), &net.head.offset);
  EXPECT_EQ(&net.get_buffer("blocks.2.first.seen"), &net.blocks[2].first.seen);
}

TEST(Module, lookup_of_what_is_not_there_says_what_is) {
  Net net;
  EXPECT_EQ(error_of([&] { net.get_submodule("blocks.7"); }),
            "ModuleList has no module called '7'; it has 0, 1, 2");
  EXPECT_EQ(error_of([&] { net.get_parameter("head.bias"); }),
            "Head has no parameter called 'bias'; it has offset");
}

TEST(Module, apply_visits_children_first) {
  Block block;
  block.down.emplace();
  std::vector<std::string> kinds;
  block.apply([&](nn::ModuleRef m) { kinds.emplace_back(m.kind()); });
  EXPECT_THAT(kinds, ElementsAre("Scale", "Scale", "Block"));
}

TEST(Module, train_and_eval_set_every_training_flag) {
  Net net;
  net.eval();
  EXPECT_FALSE(net.head.norm().training);
  EXPECT_FALSE(net.blocks[2].first.training);
  EXPECT_FALSE(net.owned->training);
  EXPECT_TRUE(net.train().blocks[2].first.training);
}

TEST(Module, requires_grad_freezes_and_zero_grad_drops) {
  Scale scale;
  scale.weight.set_grad(ones({2}));
  scale.zero_grad();
  EXPECT_FALSE(scale.weight.grad().defined());
  scale.requires_grad_(false);
  EXPECT_FALSE(scale.weight.requires_grad());
  EXPECT_TRUE(scale.requires_grad_().weight.requires_grad());
}

TEST(Module, to_converts_in_place) {
  Scale scale;
  Tensor weight = scale.weight;
  nn::Buffer& seen = scale.seen;
  seen = zeros({1}, {.dtype = int64});
  scale.to(float64);
  EXPECT_EQ(weight.dtype(), float64);
  EXPECT_EQ(scale.scratch.dtype(), float64);
  EXPECT_EQ(seen.dtype(), int64);
  EXPECT_THROW(scale.to(int64), DTypeError);
}

TEST(Module, a_shared_module_is_listed_once_and_saved_under_both_names) {
  struct Shared : nn::Module<Shared> {
    std::shared_ptr<Scale> a = std::make_shared<Scale>();
    std::shared_ptr<Scale> b = a;
    std::shared_ptr<Scale> none;
  };
  Shared shared;
  EXPECT_THAT(names(shared.named_parameters()), ElementsAre("a.weight"));
  EXPECT_THAT(names(shared.named_modules()), ElementsAre("", "a"));
  EXPECT_EQ(shared.state_dict().size(), 4u);
}

TEST(Parameter, takes_a_tensor_over_and_copies_values) {
  Tensor values = ones({2});
  nn::Parameter p(values);
  EXPECT_TRUE(p.is_same(values));
  nn::Parameter copy = p;
  EXPECT_FALSE(copy.is_same(p));
  EXPECT_TRUE(copy.requires_grad());
  Tensor handle = p;
  EXPECT_TRUE(handle.is_same(p));
  EXPECT_TRUE(nn::Parameter(values * 2).is_leaf());
  EXPECT_FALSE(nn::Parameter(ones({2}), false).requires_grad());
}

TEST(Parameter, keeps_its_tensor_in_an_assignment_that_fits) {
  nn::Parameter a(ones({2})), b(full({2}, 5.)), c(ones({3}));
  Tensor handle = a;
  a = b;
  EXPECT_TRUE(a.is_same(handle));
  EXPECT_EQ(handle.to_vector<float>(), (std::vector<float>{5, 5}));
  a = c;
  EXPECT_FALSE(a.is_same(handle));
  EXPECT_EQ(a.shape(), Shape({3}));
}

TEST(Buffer, stays_as_lasting_as_it_is) {
  nn::Buffer b(zeros({1}), false);
  b = ones({1});
  EXPECT_FALSE(b.persistent());
}

TEST(Sequential, runs_its_modules_and_names_them_by_number) {
  nn::Sequential net{Scale{.size = 2}, Block{.width = 2}};
  net[0].as<Scale>()->weight.detach().fill_(3);
  EXPECT_EQ(net(ones({1, 2})).to_vector<float>(), (std::vector<float>{3, 3}));
  EXPECT_THAT(names(net.named_parameters()), ElementsAre("0.weight", "1.first.weight"));
  net.append(Head(2));
  EXPECT_EQ(net.size(), 3u);
  nn::Sequential nested{nn::Sequential{Scale{}}, Scale{}};
  EXPECT_THAT(names(nested.named_parameters()), ElementsAre("0.0.weight", "1.weight"));
}

TEST(Sequential, copies_are_independent) {
  nn::Sequential net{Scale{}};
  nn::Sequential copy = net;
  copy[0].as<Scale>()->weight.detach().fill_(3);
  EXPECT_EQ(net[0].as<Scale>()->weight.to_vector<float>(), (std::vector<float>{1, 1}));
}

}  // namespace
}  // namespace espalier::test
