#include <espalier/nn/structure.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/io/file.h>
#include <espalier/nn/nn.h>
#include <espalier/trace/structure_file.h>

#include <temporary_folder.h>

namespace espalier::nn {
namespace {

struct Tied : Module<Tied> {
  Embedding words{10, 4};
  std::vector<Linear> layers = std::vector<Linear>(2, Linear{4, 4});
  Linear head{4, 10, {.bias = false}};
  Tied() { head.weight.tie(words.weight); }
  ESPALIER_FIELDS(Tied, words, layers, head)
};

TEST(Structure, IsTheTreeOfTheModulesWithTheirParameters) {
  Tied model;
  model.layers[0].requires_grad_(false);
  trace::Structure s = structure(model.ref());
  EXPECT_EQ(s.kind, "Tied");
  ASSERT_EQ(s.children.size(), 3u);
  EXPECT_EQ(s.children[1].kind, "ModuleList");
  EXPECT_EQ(s.children[1].children[1].path, "layers.1");
  EXPECT_EQ(s.children[1].children[1].settings, "in_features=4, out_features=4, bias=True");
  EXPECT_EQ(s.children[2].parameters[0].same_as, "words.weight");
  EXPECT_EQ(s.num_parameters(), 10 * 4 + 2 * (16 + 4));
  EXPECT_EQ(s.num_trainable(), 10 * 4 + 16 + 4);
}

TEST(Structure, ReadsBackFromAFile) {
  Tied model;
  TemporaryFolder folder;
  trace::Structure s = structure(model.ref());
  trace::write_structure(folder / "s.json", s);
  trace::Structure back = trace::read_structure(folder / "s.json");
  EXPECT_EQ(back.num_parameters(), s.num_parameters());
  EXPECT_EQ(back.children[1].children[1].settings, s.children[1].children[1].settings);
  EXPECT_EQ(back.children[2].parameters[0].same_as, "words.weight");
}

TEST(Structure, RefusesADamagedFileByName) {
  TemporaryFolder folder;
  std::string head =
      R"({"path": "", "name": "", "kind": "A", "settings": "", "children": [], "parameters": [{"name": "w", "trainable": true, )";
  std::string deep;
  for (int i = 0; i < 300; ++i)
    deep += R"({"path": "", "name": "", "kind": "A", "settings": "", "parameters": [], "children": [)";
  for (int i = 0; i < 300; ++i) deep += "]}";
  for (const std::string& text :
       {std::string("{"), std::string("[]"), head + R"("dtype": "float9", "shape": [1]}]})",
        head + R"("dtype": "float32", "shape": [-1]}]})",
        head + R"("dtype": "float32", "shape": [4000000000, 4000000000]}]})",
        head + R"("dtype": "float32", "shape": [1,1,1,1,1,1,1,1,1,1]}]})", deep}) {
    io::write_file(folder / "s.json", text);
    try {
      trace::read_structure(folder / "s.json");
      ADD_FAILURE() << text.substr(0, 200);
    } catch (const FileError& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("s.json: "));
    }
  }
}

}  // namespace
}  // namespace espalier::nn
