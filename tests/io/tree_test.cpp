#include <espalier/io/tree.h>

#include <cmath>

#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/checkpoint.h>
#include <espalier/io/crc32.h>
#include <espalier/io/pytorch.h>

#include <temporary_folder.h>

namespace espalier::io {
namespace {

using Kind = Tree::Kind;

Array counting(const Shape& shape) {
  Array a = Array::empty(shape, DType::float32);
  for (int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>(i);
  return a;
}

Tree written_and_read(const Tree& tree) {
  TemporaryFolder folder;
  save(tree, folder / "tree.pt");
  return load(folder / "tree.pt");
}

TEST(Tree, values_of_every_kind_come_back) {
  Array a = counting({2, 3});
  Tree tree = written_and_read({{"epoch", 3},
                                {"large", int64_t{1} << 40},
                                {"negative", -7},
                                {"loss", 0.1},
                                {"done", true},
                                {"name", "größer"},
                                {"nothing", {}},
                                {"rates", std::vector{0.5, -INFINITY}},
                                {"betas", Tree::tuple({0.9, 0.999})},
                                {"empty", Tree::dict()},
                                {"deep", Tree{{"er", Tree::list({Tree{{"a", a}}, Tree::list()})}}}});
  EXPECT_EQ(tree["epoch"].integer(), 3);
  EXPECT_EQ(tree["large"].integer(), int64_t{1} << 40);
  EXPECT_EQ(tree["negative"].integer(), -7);
  EXPECT_EQ(tree["loss"].number(), 0.1);
  EXPECT_EQ(tree["done"].boolean(), true);
  EXPECT_EQ(tree["name"].text(), "größer");
  EXPECT_EQ(tree["nothing"].kind(), Kind::none);
  EXPECT_EQ(tree["rates"].items()[1].number(), -INFINITY);
  EXPECT_EQ(tree["betas"].kind(), Kind::tuple);
  EXPECT_EQ(tree["empty"].size(), 0u);
  const Tree& deep = tree["deep"]["er"];
  EXPECT_EQ(deep.items()[0]["a"].array().data<float>()[5], 5);
  EXPECT_EQ(deep.items()[1].size(), 0u);
}

TEST(Tree, keys_may_be_numbers_and_versions_are_kept) {
  Tree state = Tree::dict({{int64_t{0}, 1.5}, {std::string("a"), counting({1})}});
  state.is_ordered = true;
  state.versions = {{"", 1}, {"bn", 2}};
  Tree tree = written_and_read(state);
  EXPECT_EQ(tree.find(0)->number(), 1.5);
  EXPECT_TRUE(tree.is_ordered);
  EXPECT_EQ(tree.versions, state.versions);
}

TEST(Tree, tensors_that_share_memory_share_it_again) {
  Array a = counting({2, 3});
  Tree tree =
      written_and_read({{"whole", a}, {"part", Tree::list({a.view({3}, {1}, 3), a.view({}, {}, 1)})}});
  const auto& parts = tree["part"].items();
  EXPECT_EQ(tree["whole"].tensor().storage->data(), parts[0].tensor().storage->data());
  EXPECT_EQ(parts[0].tensor().offset, 3);
  EXPECT_EQ(parts[1].number(), 1);
}

TEST(Tree, what_was_changed_in_a_mapped_file_is_written) {
  TemporaryFolder folder;
  save({{"a", counting({10000})}}, folder / "first.pt");
  Tree tree = load(folder / "first.pt");
  tree["a"].array().data<float>()[9999] = -1;
  save(tree, folder / "second.pt");
  EXPECT_EQ(load(folder / "second.pt")["a"].array().data<float>()[9999], -1);
  EXPECT_EQ(load(folder / "first.pt")["a"].array().data<float>()[9999], 9999);
}

TEST(Tree, errors_say_what_there_is) {
  Tree tree{{"epoch", 3}, {"model", Tree::dict()}};
  auto text = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const StateError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(text([&] { tree["optimizer"]; }), "there is no 'optimizer'; there is: epoch, model");
  EXPECT_EQ(text([&] { tree["epoch"].text(); }), "it is an integer, not a text");
  EXPECT_EQ(text([&] { tree["epoch"]["lr"]; }), "it is an integer, not a dictionary");
  EXPECT_EQ(text([&] { tree["model"].tensor(); }), "it is a dictionary, not a tensor");
}

TEST(Crc32, is_zlibs_for_every_length) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * i);
  auto bytes = std::as_bytes(std::span(text));
  // One bit at a time, as the polynomial says.
  uint32_t state = ~0u;
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(crc32(bytes.first(n)), ~state) << n;
    state ^= static_cast<uint8_t>(bytes[n]);
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? 0xedb88320 : 0);
  }
}

}  // namespace
}  // namespace espalier::io
