#include <cmath>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>

#include <espalier/espalier.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>

#include <temporary_folder.h>

#include "error_of.h"

namespace espalier::nn {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

struct Net : Module<Net> {
  Linear first{2, 3, {.bias = false}};
  BatchNorm1d norm{3};
  Linear last{3, 1};

  Tensor forward(const Tensor& x) { return last(norm(first(x))); }
};

// The model's own state, filled with `value`, under other names.
StateDict state_of(Net& net, double value, const std::function<std::string(const std::string&)>& name) {
  StateDict out;
  for (auto& [key, tensor] : net.state_dict()) out.set(name(key), full(tensor.shape(), value));
  return out;
}
StateDict behind(const std::string& prefix, double value = 7) {
  Net net;
  return state_of(net, value, [&](const std::string& key) { return prefix + key; });
}

float first_value(const Net& net) { return net.first.weight[0][0].item<float>(); }

class Load : public testing::Test {
 protected:
  Net net;
};

TEST_F(Load, finds_the_prefixes_of_wrappers_and_checkpoints_and_reports_them) {
  for (std::string prefix : {"module.", "_orig_mod.", "model.", "state_dict.model.", "state_dict.module.",
                             "model_state_dict._orig_mod.module.", "net.module."}) {
    first_value(net = Net());
    LoadResult result = net.load_state_dict(behind(prefix));
    EXPECT_EQ(result.prefix, prefix);
    EXPECT_EQ(result.loaded, 8u);
    EXPECT_EQ(first_value(net), 7) << prefix;
  }
}

TEST_F(Load, takes_the_names_as_they_are_where_they_are_the_models) {
  StateDict state = behind("");
  for (auto& [name, tensor] : behind("module.", 9)) state.set(name, tensor);
  EXPECT_THROW(net.load_state_dict(state), StateError);
  EXPECT_EQ(net.load_state_dict(state, {.strict = false}).prefix, "");
  EXPECT_EQ(first_value(net), 7);
  net.load_state_dict(state, {.prefix = "module"});
  EXPECT_EQ(first_value(net), 9);
}

TEST_F(Load, leaves_the_rest_of_a_checkpoint_alone) {
  StateDict state = behind("state_dict.module.");
  state.set("optimizer.state.0.exp_avg", ones({2}));
  LoadResult result = net.load_state_dict(state);
  EXPECT_THAT(result.outside, ElementsAre("optimizer.state.0.exp_avg"));
  EXPECT_TRUE(result.unexpected.empty());
}

TEST_F(Load, what_stands_beside_a_wrapper_is_unexpected) {
  StateDict state = behind("module.");
  state.set("head.weight", ones({2}));
  EXPECT_THAT(error_of<StateError>([&] { net.load_state_dict(state); }),
              HasSubstr("the state's names begin with 'module.'\n  not in the model:\n    head.weight"));
}

TEST_F(Load, asks_which_of_two_prefixes_is_meant) {
  StateDict state = behind("model.", 1);
  for (auto& [name, tensor] : behind("net.", 2)) state.set(name, tensor);
  EXPECT_THAT(error_of<StateError>([&] { net.load_state_dict(state); }),
              HasSubstr("behind 'model.' and behind 'net.'"));
  net.load_state_dict(state, {.prefix = "net."});
  EXPECT_EQ(first_value(net), 2);
}

TEST_F(Load, advises_of_prefixes_that_could_mean_anything) {
  EXPECT_THAT(error_of<StateError>([&] { net.load_state_dict(behind("backbone.")); }),
              HasSubstr("behind 'backbone.': load with {.prefix = \"backbone.\"}"));
  LoadResult result = net.load_state_dict(behind("backbone."), {.prefix = "backbone."});
  EXPECT_EQ(result.loaded, 8u);
}

struct Outer : Module<Outer> {
  Net inner;
  Tensor forward(const Tensor& x) { return inner(x); }
};

TEST_F(Load, advises_of_prefixes_of_the_model) {
  Outer outer;
  EXPECT_THAT(error_of<StateError>([&] { outer.load_state_dict(behind("")); }),
              HasSubstr("load the state into the member 'inner'"));
  EXPECT_EQ(outer.inner.load_state_dict(behind("")).loaded, 8u);
}

TEST_F(Load, renames_parts_of_names) {
  StateDict state = state_of(net, 5, [](const std::string& key) {
    if (key.starts_with("last.")) return "head.linear" + key.substr(4);
    return key.starts_with("norm.") ? "bns.0." + key.substr(5) : "fc.1." + key.substr(6);
  });
  LoadResult result =
      net.load_state_dict(state, {.rename = {{"head.linear", "last"}, {"bns.*", "norm"}, {"fc.1", "first"}}});
  EXPECT_EQ(result.loaded, 8u);
  EXPECT_EQ(net.last.bias.item<float>(), 5);
}

TEST_F(Load, renames_behind_a_prefix_that_is_found) {
  Net other;
  StateDict state = state_of(other, 5, [](const std::string& key) {
    return "state_dict.module." + (key.starts_with("last.") ? "linear" + key.substr(4) : key);
  });
  EXPECT_EQ(net.load_state_dict(state, {.rename = {{"linear", "last"}}}).prefix, "state_dict.module.");
}

struct Blocks : Module<Blocks> {
  std::vector<Linear> blocks{2, Linear(1, 1, {.bias = false})};
};

TEST(Rename, keeps_what_a_star_stood_for) {
  Blocks model;
  StateDict state{{"convs.0.a.weight", full({1, 1}, 3.)}, {"convs.1.a.weight", full({1, 1}, 4.)}};
  model.load_state_dict(state, {.rename = {{"convs.*.a", "blocks.*"}}});
  EXPECT_EQ(model.blocks[1].weight.item<float>(), 4);
}

TEST(Rename, takes_parts_away_and_never_half_of_one) {
  Blocks model;
  StateDict state{{"blocks.0.conv.weight", ones({1, 1})}, {"blocks.1.conv.weight", ones({1, 1})}};
  EXPECT_NO_THROW(model.load_state_dict(state, {.rename = {{"conv", ""}}}));
  EXPECT_THROW(model.load_state_dict(state, {.rename = {{"con", ""}}}), StateError);
}

TEST(Rename, that_makes_one_name_of_two_is_an_error) {
  Blocks model;
  StateDict state{{"a.weight", ones({1, 1})}, {"b.weight", ones({1, 1})}};
  std::string error = error_of<StateError>([&] {
    model.load_state_dict(state, {.rename = {{"a", "blocks.0"}, {"b", "blocks.0"}}});
  });
  EXPECT_EQ(error, "two tensors of the state would be 'blocks.0.weight': a.weight and b.weight");
}

TEST_F(Load, advises_how_to_rename) {
  Net other;
  StateDict state = state_of(other, 5, [](const std::string& key) {
    return key.starts_with("last.") ? "linear" + key.substr(4) : key;
  });
  EXPECT_THAT(
      error_of<StateError>([&] { net.load_state_dict(state); }),
      HasSubstr("if 'linear.weight' is 'last.weight', load with {.rename = {{\"linear\", \"last\"}}}"));
}

TEST_F(Load, converts_to_the_dtype_of_each_parameter) {
  StateDict state = behind("");
  state.set("first.weight", full({3, 2}, 0.1, {.dtype = float64}));
  state.set("last.bias", full({1}, 3, {.dtype = int64}));
  LoadResult result = net.load_state_dict(state);
  EXPECT_EQ(first_value(net), 0.1f);
  EXPECT_EQ(net.first.weight.dtype(), float32);
  EXPECT_THAT(result.converted, ElementsAre("first.weight", "norm.num_batches_tracked", "last.bias"));
  Net half;
  half.to(bfloat16);
  half.load_state_dict(state);
  EXPECT_EQ(first_value(half), static_cast<float>(BFloat16(0.1f)));
}

TEST_F(Load, loads_float16_from_a_file) {
  TemporaryFolder folder;
  std::vector<io::StoredTensor> tensors;
  for (auto& [name, tensor] : net.state_dict()) tensors.push_back(io::stored(name, tensor.array()));
  std::vector<uint16_t> halves{0x3c00, 0xc000, 0x3555,
                               0x0001, 0x7c00, 0x8000};  // 1, -2, 1/3, 2^-24, infinity, -0
  tensors[0].type = io::find_element_type("float16");
  tensors[0].storage = Storage::borrow(halves.data(), 12, nullptr);
  for (const char* name : {"x.safetensors", "x.pt"}) {
    if (std::string_view(name).ends_with(".pt")) io::write_pytorch(folder / name, tensors);
    else io::write_safetensors(folder / name, tensors);
    Net again;
    EXPECT_THAT(again.load(folder / name).converted, ElementsAre("first.weight"));
    EXPECT_EQ(again.first.weight.to_vector<float>(),
              (std::vector<float>{1, -2, 0.333251953125f, 0x1p-24f, INFINITY, -0.f}));
  }
}

TEST_F(Load, refuses_values_that_no_tensor_can_hold_and_changes_nothing) {
  TemporaryFolder folder;
  std::vector<io::StoredTensor> tensors;
  for (auto& [name, tensor] : net.state_dict()) tensors.push_back(io::stored(name, tensor.array()));
  std::vector<uint64_t> large(3, UINT64_MAX), pairs(3);
  tensors[1].type = io::find_element_type("uint64");  // norm.weight
  tensors[1].storage = Storage::borrow(large.data(), 24, nullptr);
  tensors[2].type = io::find_element_type("complex64");  // norm.bias
  tensors[2].storage = Storage::borrow(pairs.data(), 24, nullptr);
  io::write_safetensors(folder / "x.safetensors", tensors);
  net.first.weight.detach().fill_(1.);
  std::string error = error_of<StateError>([&] { net.load(folder / "x.safetensors"); });
  EXPECT_THAT(error, HasSubstr("norm.weight: the value 18446744073709551615 of type uint64 is too large"));
  EXPECT_THAT(error, HasSubstr("norm.bias: float32 [3] in the model, complex64 [3] in the state"));
  EXPECT_EQ(first_value(net), 1);
}

TEST_F(Load, leaves_out_other_shapes_when_asked) {
  StateDict state = behind("");
  state.set("last.weight", ones({5, 3}));
  EXPECT_THROW(net.load_state_dict(state, {.strict = false}), StateError);
  LoadResult result = net.load_state_dict(state, {.ignore_mismatched_sizes = true});
  EXPECT_THAT(result.mismatched, ElementsAre("last.weight"));
  EXPECT_EQ(first_value(net), 7);
}

TEST_F(Load, does_without_the_count_of_batches_that_old_files_lack) {
  StateDict state;
  for (auto& [name, tensor] : behind("")) {
    if (!name.ends_with("num_batches_tracked")) state.set(name, tensor);
  }
  EXPECT_TRUE(net.load_state_dict(state).missing.empty());
}

TEST_F(Load, its_result_can_be_printed) {
  EXPECT_EQ(to_string(net.load_state_dict(net.state_dict())), "all 8 tensors were loaded");
  std::ostringstream out;
  out << net.load_state_dict({{"module.first.weight", ones({3, 2})}, {"extra", ones({1})}},
                             {.strict = false});
  EXPECT_THAT(out.str(), HasSubstr("1 tensor was loaded, 7 kept their values\n"
                                   "  the state's names begin with 'module.'\n"
                                   "  missing from the state:\n    norm.weight"));
  EXPECT_THAT(out.str(), HasSubstr("  not in the model:\n    extra"));
}

}  // namespace
}  // namespace espalier::nn
