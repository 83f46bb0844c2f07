#include <algorithm>

#include <gtest/gtest.h>

#include <espalier/io/weights.h>

#include <cli/tool.h>
#include <io/torch_maker.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

const std::string kErrors = " 2>&1 >/dev/null";

class Weights : public testing::Test {
 protected:
  Weights() {
    Array a = Array::empty({2, 3}, float32), b = Array::empty({}, int64);
    std::fill_n(a.data<float>(), 6, 1.5f);
    *b.data<int64_t>() = 7;
    arrays = {{"a", a}, {"b", b}, {"tied", a}};
    io::write_pytorch(path("x.pt"), arrays);
  }
  std::string path(const std::string& name) { return folder / name; }
  std::string as_json(const std::string& name) {
    return run_tool("show --json --checksum " + path(name)).out;
  }

  TemporaryFolder folder;
  std::vector<io::NamedArray> arrays;
};

TEST_F(Weights, show_lists_a_checkpoint_whatever_its_name) {
  std::filesystem::rename(path("x.pt"), path("x.safetensors"));
  std::string out = as_json("x.safetensors");
  EXPECT_EQ(
      out.rfind(R"({"format":"pytorch","tensors":[{"name":"a","shape":[2,3],"dtype":"float32","crc32":)", 0),
      0u)
      << out;
}

TEST_F(Weights, convert_keeps_names_and_values_in_every_format) {
  for (std::string name : {"y.safetensors", "y.npz", "y.pth"}) {
    EXPECT_EQ(run_tool("convert " + path("x.pt") + " " + path(name)).code, 0) << name;
    EXPECT_EQ(run_tool("diff " + path("x.pt") + " " + path(name)).out, "the same 3 tensors\n") << name;
    EXPECT_EQ(run_tool("convert " + path(name) + " " + path("z.pt")).code, 0) << name;
    EXPECT_EQ(run_tool("diff " + path("x.pt") + " " + path("z.pt")).code, 0) << name;
  }
}

TEST_F(Weights, convert_says_what_it_can_not_write) {
  EXPECT_EQ(run_tool("convert " + path("x.pt") + " " + path("y.doc") + kErrors).code, 2);
  EXPECT_EQ(run_tool("convert " + path("x.pt") + " " + path("y.npy") + kErrors).code, 1);
  EXPECT_FALSE(std::filesystem::exists(path("y.npy")));
}

TEST_F(Weights, diff_says_which_tensors_differ_and_by_how_much) {
  Array a = Array::empty({2, 3}, float32);
  std::fill_n(a.data<float>(), 6, 1.25f);
  io::write_pytorch(path("y.pt"), std::vector<io::NamedArray>{{"a", a}, {"b", a}, {"new", a}});
  ToolResult r = run_tool("diff " + path("x.pt") + " " + path("y.pt") + " 2>/dev/null");
  EXPECT_EQ(r.code, 1);
  for (const char* text :
       {"values by up to 0.25", "shape [] and [2, 3]", "only in the first", "only in the second"}) {
    EXPECT_NE(r.out.find(text), std::string::npos) << r.out;
  }
}

TEST_F(Weights, verify_tells_sound_files_from_others) {
  ToolResult r = run_tool("verify " + path("x.pt"));
  EXPECT_EQ(r.code, 0);
  EXPECT_NE(r.out.find("sound and safe (pytorch, 3 tensors)"), std::string::npos) << r.out;
  std::string bytes = io::read_file(path("x.pt"));
  size_t data = (bytes.find("archive/data/0") + 18 + 63) / 64 * 64;
  bytes[data] ^= 1;
  io::write_file(path("y.pt"), bytes);
  io::write_file(path("evil.pkl"), std::string("\x80\2cposix\nsystem\nX\2\0\0\0id\x85R.", 26));
  EXPECT_EQ(run_tool("verify " + path("y.pt") + kErrors).code, 1);
  std::string evil = run_tool("verify " + path("evil.pkl") + kErrors).out;
  EXPECT_NE(evil.find("posix.system"), std::string::npos) << evil;
}

TEST_F(Weights, show_all_gives_the_plain_values_of_a_checkpoint) {
  std::string tensor = TensorMade().pickle();
  std::string groups = "](}(" + pickle_text("lr") + "G" + std::string("\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8) +
                       pickle_text("betas") + "(K\1K\2t" + pickle_text("foreach") + "Nue";
  std::string object = "}(" + pickle_text("epoch") + "K\7" + pickle_text("name") +
                       pickle_text("caf\xc3\xa9") + pickle_text("param_groups") + groups +
                       pickle_text("model") + pickle_dict("w", tensor) + "u";
  io::write_file(path("c.pt"), torch_zip(object, floats({0, 1, 2, 3, 4, 5})).bytes());
  std::string text = run_tool("show --all " + path("c.pt")).out;
  EXPECT_NE(text.find("values\n  epoch: 7\n  name: 'caf\xc3\xa9'\n  param_groups[0].lr: 0.1\n"
                      "  param_groups[0].betas: (1, 2)\n  param_groups[0].foreach: None\n"),
            std::string::npos)
      << text;
  std::string json = run_tool("show --all --json " + path("c.pt")).out;
  EXPECT_NE(
      json.find(
          R"("values":{"epoch":7,"name":"café","param_groups":[{"lr":0.1,"betas":[1,2],"foreach":null}]})"),
      std::string::npos)
      << json;
  EXPECT_EQ(run_tool("show --json " + path("c.pt")).out.find("values"), std::string::npos);
}

TEST_F(Weights, verify_warns_of_modules_whose_package_python_would_run) {
  std::string module = "cmy.models\nNet\n)\x81}(" + pickle_text("_parameters") +
                       pickle_dict("w", TensorMade().pickle()) + pickle_text("_modules") + "}ub";
  io::write_file(path("whole.pt"), torch_zip(module, floats({0, 1, 2, 3, 4, 5})).bytes());
  EXPECT_NE(
      run_tool("show " + path("whole.pt")).out.find("note: it holds a module of the class my.models.Net"),
      std::string::npos);
  EXPECT_EQ(run_tool("verify " + path("whole.pt") + kErrors).code, 1);
}

TEST_F(Weights, quantised_tensors_are_shown_and_converted_with_their_scales) {
  std::string w = TensorMade{.storage = "QInt8Storage"}.pickle();
  w.replace(w.find("_rebuild_tensor_v2"), 18, "_rebuild_qtensor");
  w.insert(w.rfind("\x89"), "(ctorch\nper_tensor_affine\nG?\xe0" + std::string(6, '\0') + "K\3t");  // 0.5, 3
  io::write_file(path("q.pt"), torch_zip(pickle_dict("w", w), "values").bytes());
  EXPECT_NE(run_tool("show " + path("q.pt")).out.find("w is quantised: scale 0.5, zero point 3"),
            std::string::npos);
  EXPECT_EQ(run_tool("convert " + path("q.pt") + " " + path("r.pt")).code, 0);
  EXPECT_EQ(run_tool("diff " + path("q.pt") + " " + path("r.pt")).out, "the same 1 tensors\n");
  EXPECT_NE(run_tool("show --json " + path("r.pt")).out.find(R"("quantizer":{"scale":0.5,"zero_point":3})"),
            std::string::npos);
  auto refused = run_tool("convert " + path("q.pt") + " " + path("q.safetensors") + kErrors);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.out.find("safetensors has no quantised tensors such as 'w'"), std::string::npos)
      << refused.out;
}

TEST_F(Weights, convert_keeps_element_types_that_tensors_do_not_have) {
  std::vector<uint64_t> data{0x0123456789abcdef, 0xfedcba9876543210};
  std::vector<io::StoredTensor> tensors;
  for (const char* type : {"float16", "int8", "int16", "uint16", "uint32", "uint64", "complex64"}) {
    const io::ElementType* element = io::find_element_type(type);
    tensors.push_back(
        {type, element, {128 / element->bits}, {1}, Storage::borrow(data.data(), 16, nullptr), 0});
  }
  io::write_pytorch(path("t.pt"), tensors);
  for (std::string name : {"t.safetensors", "t.npz", "t.pth"}) {
    EXPECT_EQ(run_tool("convert " + path("t.pt") + " " + path(name)).code, 0) << name;
    EXPECT_EQ(run_tool("diff " + path("t.pt") + " " + path(name)).out, "the same 7 tensors\n") << name;
  }
}

}  // namespace
}  // namespace espalier
