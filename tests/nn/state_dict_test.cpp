#include <cmath>
#include <cstdio>

#include <gmock/gmock.h>

#include "error_of.h"
#include "nn/models.h"

namespace espalier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const nn::StateDict& state) {
  std::vector<std::string> out;
  for (auto& [name, value] : state) out.push_back(name);
  return out;
}

TEST(StateDict, has_a_modules_own_tensors_before_its_childrens) {
  Head head(2);
  EXPECT_THAT(names(head.state_dict()), ElementsAre("offset", "norm_.weight", "norm_.seen"));
}

TEST(StateDict, shares_memory_with_the_model) {
  Scale scale;
  scale.weight.detach().fill_(9);
  EXPECT_EQ(scale.state_dict()["weight"].to_vector<float>(), (std::vector<float>{9, 9}));
  EXPECT_THROW(scale.state_dict().at("nothing"), StateError);
}

TEST(LoadStateDict, copies_values_and_keeps_tensors) {
  Block source, target;
  source.first.weight.detach().fill_(9);
  Tensor held = target.first.weight;
  auto result = target.load_state_dict(source.state_dict());
  EXPECT_EQ(held.to_vector<float>(), (std::vector<float>{9, 9}));
  EXPECT_TRUE(held.is_same(target.first.weight));
  EXPECT_FALSE(held.is_same(source.first.weight));
  EXPECT_TRUE(result.missing.empty() && result.unexpected.empty());
}

nn::StateDict wrong_state() {
  return {{"norm_.weight", ones({3})}, {"norm_.seen", ones({1}, {.dtype = float64})}, {"extra", ones({1})}};
}

TEST(LoadStateDict, reports_all_that_is_wrong_and_changes_nothing) {
  Head head(2);
  EXPECT_EQ(error_of<StateError>([&] { head.load_state_dict(wrong_state()); }),
            "the state does not fit Head; nothing was loaded\n"
            "  missing from the state:\n"
            "    offset\n"
            "  not in the model:\n"
            "    extra\n"
            "  different:\n"
            "    norm_.weight: float32 [2] in the model, float32 [3] in the state");
  EXPECT_EQ(head.norm().weight.to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(LoadStateDict, forgives_names_but_not_shapes_when_not_strict) {
  Head head(2);
  EXPECT_THROW(head.load_state_dict(wrong_state(), {.strict = false}), StateError);
  auto result = head.load_state_dict({{"offset", full({2}, 3.)}, {"extra", ones({1})}}, {.strict = false});
  EXPECT_THAT(result.missing, ElementsAre("norm_.weight", "norm_.seen"));
  EXPECT_THAT(result.unexpected, ElementsAre("extra"));
  EXPECT_EQ(head.offset.to_vector<float>(), (std::vector<float>{3, 3}));
}

TEST(LoadStateDict, does_not_broadcast) {
  Scale scale;
  EXPECT_THROW(scale.load_state_dict({{"weight", ones({1})}, {"seen", ones({1})}}), StateError);
}

struct TwoNames : nn::Module<TwoNames> {
  nn::Parameter a{ones({1})}, b{ones({1})};
};

TEST(LoadStateDict, takes_a_tied_tensor_from_any_of_its_names) {
  TwoNames two;
  two.b.tie(two.a);
  two.load_state_dict({{"b", full({1}, 5.)}});
  EXPECT_EQ(two.a.item<float>(), 5);
  two.load_state_dict({{"a", full({1}, 6.)}, {"b", full({1}, 6.)}});
  EXPECT_EQ(two.b.item<float>(), 6);
}

TEST(LoadStateDict, refuses_two_values_for_a_tied_tensor) {
  TwoNames two;
  two.b.tie(two.a);
  EXPECT_THAT(error_of<StateError>([&] {
                two.load_state_dict({{"a", ones({1})}, {"b", zeros({1})}});
              }),
              HasSubstr("b: one tensor with a in the model, other values in the state"));
}

TEST(LoadStateDict, takes_nan_for_a_tied_tensor) {
  TwoNames two;
  two.b.tie(two.a);
  two.load_state_dict({{"a", full({1}, NAN)}, {"b", full({1}, NAN)}});
  EXPECT_TRUE(std::isnan(two.a.item<float>()));
}

TEST(Save, writes_what_load_reads) {
  std::string path = testing::TempDir() + "espalier_nn_save.safetensors";
  Net source, target;
  source.gain.detach().fill_(4.);
  source.save(path);
  target.load(path);
  EXPECT_EQ(target.gain.item<float>(), 4);
  EXPECT_EQ(target.state_dict().size(), source.state_dict().size());
  EXPECT_THAT(error_of<StateError>([&] { Block().load(path); }),
              testing::StartsWith(path + ": the state does not fit Block"));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace espalier::test
