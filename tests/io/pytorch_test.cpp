#include <espalier/io/pytorch.h>

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/byte_reader.h>

#include <temporary_folder.h>

#include "torch_maker.h"

namespace espalier::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<float> kValues{0, 1, 2, 3, 4, 5};

MappedFile in_memory(const std::string& bytes) {
  auto copy = std::make_shared<std::vector<std::byte>>(as_bytes(bytes).begin(), as_bytes(bytes).end());
  return {copy, *copy};
}

TorchFile read(const std::string& bytes) { return TorchFile(in_memory(bytes)); }

std::string refusal(const std::string& bytes) {
  try {
    read(bytes);
    return "";
  } catch (const FileError& e) {
    return e.what();
  }
}

std::string refusal(const TensorMade& tensor) {
  return refusal(torch_zip(tensor.pickle(), floats(kValues)).bytes());
}

std::vector<float> values(const StoredTensor& t) {
  std::string buffer;
  auto bytes = row_major_bytes(t, buffer);
  std::vector<float> out(bytes.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

std::vector<std::string> names(const TorchFile& file) {
  std::vector<std::string> out;
  for (const auto& t : file.tensors()) out.push_back(t.name);
  return out;
}

std::vector<std::string> names(const std::string& object) {
  return names(read(torch_zip(object, floats(kValues)).bytes()));
}

std::string legacy(const std::string& tail = "") {
  TensorMade t{.last = "N"};
  return torch_legacy(pickle_dict("w", t.pickle()), "]" + pickle_text("0") + "a",
                      u64(6) + floats(kValues) + tail);
}

TEST(Pytorch, reads_an_archive) {
  TorchFile file = read(torch_zip(pickle_dict("fc.weight", TensorMade().pickle()), floats(kValues)).bytes());
  EXPECT_EQ(file.format(), "pytorch");
  ASSERT_THAT(names(file), ElementsAre("fc.weight"));
  EXPECT_EQ(file.tensors()[0].shape, Shape({2, 3}));
  EXPECT_EQ(values(file.tensors()[0]), kValues);
  EXPECT_EQ(to_array(file.tensors()[0]).data<float>()[5], 5);
}

TEST(Pytorch, reads_the_format_before_1_6) {
  TorchFile file = read(legacy());
  EXPECT_EQ(file.format(), "pytorch-legacy");
  ASSERT_THAT(names(file), ElementsAre("w"));
  EXPECT_EQ(values(file.tensors()[0]), kValues);
  EXPECT_EQ(to_array(file.tensors()[0]).data<float>()[5], 5);
  EXPECT_TRUE(file.remarks().empty());
}

TEST(Pytorch, says_that_bytes_follow_the_last_tensor) {
  EXPECT_THAT(read(legacy("junk")).remarks(), ElementsAre(HasSubstr("4 bytes")));
}

TEST(Pytorch, reads_views_of_a_storage_in_the_format_before_1_6) {
  std::string view = "(" + pickle_text("v") + pickle_int(2) + pickle_int(3) + "t";
  TensorMade t{.shape = {3}, .strides = {1}, .last = view};
  TorchFile file = read(torch_legacy(t.pickle(), "]" + pickle_text("0") + "a", u64(6) + floats(kValues)));
  EXPECT_THAT(values(file.tensors()[0]), ElementsAre(2, 3, 4));
  t.shape = {4};
  EXPECT_THAT(refusal(torch_legacy(t.pickle(), "]" + pickle_text("0") + "a", u64(6) + floats(kValues))),
              HasSubstr("reaches beyond"));
}

TEST(Pytorch, reads_strides_offsets_and_shared_storages) {
  TensorMade transposed{.shape = {3, 2}, .strides = {1, 3}}, row{.shape = {3}, .strides = {1}, .offset = 3},
      spread{.shape = {2, 2}, .strides = {0, 0}};
  TorchFile file = read(
      torch_zip("]" + transposed.pickle() + "a" + row.pickle() + "a" + spread.pickle() + "a", floats(kValues))
          .bytes());
  ASSERT_THAT(names(file), ElementsAre("[0]", "[1]", "[2]"));
  EXPECT_THAT(values(file.tensors()[0]), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(values(file.tensors()[1]), ElementsAre(3, 4, 5));
  EXPECT_THAT(values(file.tensors()[2]), ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(to_array(file.tensors()[0]).storage->data(), to_array(file.tensors()[1]).storage->data());
}

TEST(Pytorch, lists_element_types_that_arrays_do_not_have) {
  TensorMade complex{.shape = {3}, .strides = {1}, .elements = 3, .storage = "ComplexFloatStorage"};
  TorchFile file = read(torch_zip(complex.pickle(), floats(kValues)).bytes());
  EXPECT_EQ(file.tensors()[0].type->name, "complex64");
  EXPECT_THROW(to_array(file.tensors()[0]), DTypeError);
}

TEST(Pytorch, names_tensors_by_the_keys_on_the_way_to_them) {
  std::string t = TensorMade().pickle();
  EXPECT_THAT(names(t), ElementsAre(""));
  EXPECT_THAT(names(pickle_dict("state_dict", pickle_dict("fc.weight", t))),
              ElementsAre("state_dict.fc.weight"));
  EXPECT_THAT(names("}" + pickle_int(7) + t + "s"), ElementsAre("7"));
  EXPECT_THAT(names(pickle_dict("states", "(" + t + t + "t")), ElementsAre("states[0]", "states[1]"));
}

TEST(Pytorch, names_the_parts_of_a_module_that_was_saved_whole_as_its_state_dict) {
  std::string linear = "ctorch.nn.modules.linear\nLinear\n)\x81" +
                       pickle_dict("_parameters", pickle_dict("weight", TensorMade().pickle())) + "b";
  EXPECT_THAT(names("c__main__\nNet\n)\x81" + pickle_dict("_modules", pickle_dict("fc", linear)) + "b"),
              ElementsAre("fc.weight"));
}

TEST(Pytorch, reads_modules_of_torchscript) {
  std::string fc =
      "c__torch__.___torch_mangle_3\nLinear\n)\x81" + pickle_dict("weight", TensorMade().pickle()) + "b";
  ZipMade zip = torch_zip("c__torch__\nNet\n)\x81" + pickle_dict("fc", fc) + "b", floats(kValues));
  zip.entries.push_back({.name = "x/constants.pkl", .data = "not read"});
  zip.entries.push_back({.name = "x/code/__torch__.py", .data = "not read"});
  TorchFile file = read(zip.bytes());
  EXPECT_EQ(file.format(), "torchscript");
  EXPECT_THAT(names(file), ElementsAre("fc.weight"));
}

TEST(Pytorch, keeps_plain_values) {
  TorchFile file = read(torch_zip(pickle_dict("epoch", "K\7"), "").bytes());
  ASSERT_EQ(file.root().items().size(), 2u);
  EXPECT_EQ(file.root().items()[1].integer, 7);
}

TEST(Pytorch, refuses_names_that_are_no_plain_data) {
  EXPECT_THAT(refusal(torch_zip("cposix\nsystem\n" + pickle_text("x") + "\x85R", "").bytes()),
              HasSubstr("names posix.system"));
  EXPECT_THAT(refusal(torch_zip("ctorch.serialization\nload\n", "").bytes()),
              HasSubstr("names torch.serialization.load"));
  EXPECT_THAT(refusal(torch_legacy("cposix\nsystem\n", "]", "")), HasSubstr("names posix.system"));
}

TEST(Pytorch, refuses_shapes_that_reach_beyond_their_storage) {
  EXPECT_EQ(refusal(TensorMade()), "");
  int64_t large = int64_t{1} << 62;
  for (const TensorMade& t : std::vector<TensorMade>{{.shape = {2, 4}, .strides = {4, 1}},
                                                     {.offset = 1},
                                                     {.offset = -1},
                                                     {.shape = {-2, 3}},
                                                     {.strides = {-3, 1}},
                                                     {.shape = {6}},
                                                     {.strides = {3}},
                                                     {.shape = {large, large}, .strides = {large, large}},
                                                     {.shape = {large, large}, .strides = {0, 0}},
                                                     {.offset = large},
                                                     {.shape = {0}, .strides = {1}, .offset = 7},
                                                     {.shape = {3}, .strides = {large}}}) {
    EXPECT_NE(refusal(t), "");
  }
}

TEST(Pytorch, refuses_more_dimensions_than_it_reads) {
  TensorMade t{.shape = std::vector<int64_t>(9, 1), .strides = std::vector<int64_t>(9, 1)};
  EXPECT_THAT(refusal(t), HasSubstr("9 dimensions"));
}

TEST(Pytorch, refuses_tensors_expanded_without_end) {
  TensorMade t{.shape = {int64_t{1} << 40}, .strides = {0}};
  EXPECT_THAT(refusal(t), HasSubstr("expand"));
}

TEST(Pytorch, refuses_a_storage_read_again_and_again) {
  std::string object = "](" + TensorMade{.shape = {100, 10000}, .strides = {0, 0}}.pickle() + "q\1";
  for (int i = 0; i < 100; ++i) object += "h\1";
  EXPECT_THAT(refusal(torch_zip(object + "e", floats(kValues)).bytes()), HasSubstr("expand"));
}

TEST(Pytorch, refuses_storages_of_another_size_than_they_are_said_to_have) {
  for (int64_t elements : {4096, 7, 5, -1}) {
    TensorMade t{.shape = {1}, .strides = {1}, .elements = elements};
    EXPECT_NE(refusal(t), "") << elements;
    EXPECT_NE(refusal(torch_legacy(TensorMade{.elements = elements, .last = "N"}.pickle(),
                                   "]" + pickle_text("0") + "a", u64(6) + floats(kValues))),
              "");
  }
  EXPECT_THAT(refusal(TensorMade{.elements = int64_t{1} << 62}), HasSubstr("elements"));
  TensorMade other{.shape = {1}, .strides = {1}, .elements = 5};
  EXPECT_THAT(refusal(torch_zip("(" + TensorMade().pickle() + other.pickle() + "t", floats(kValues)).bytes()),
              HasSubstr("two sizes"));
}

TEST(Pytorch, refuses_storages_that_are_missing_or_of_no_kind) {
  EXPECT_THAT(refusal(TensorMade{.key = "1"}), HasSubstr("'1' is missing"));
  EXPECT_THAT(refusal(TensorMade{.key = "../version"}), HasSubstr("is missing"));
  EXPECT_THAT(refusal(TensorMade{.storage = "Storage"}), HasSubstr("names torch.Storage"));
  EXPECT_THAT(refusal(TensorMade{.tag = "module"}), HasSubstr("no storage"));
}

TEST(Pytorch, refuses_damaged_data) {
  ZipMade zip = torch_zip(TensorMade().pickle(), floats(kValues));
  zip.entries[1].crc = 1;
  EXPECT_THAT(refusal(zip.bytes()), HasSubstr("damaged"));
}

TEST(Pytorch, refuses_bytes_behind_the_pickle_of_an_archive) {
  EXPECT_THAT(refusal(torch_zip("N.N", "").bytes()), HasSubstr("behind the end"));
}

std::string turned(std::string bytes, size_t unit) {
  for (size_t i = 0; i < bytes.size(); i += unit) {
    std::reverse(bytes.begin() + static_cast<ptrdiff_t>(i), bytes.begin() + static_cast<ptrdiff_t>(i + unit));
  }
  return bytes;
}

std::string big_endian(const TensorMade& tensor, const std::string& data) {
  ZipMade zip = torch_zip(tensor.pickle(), data);
  zip.entries.push_back({.name = "x/byteorder", .data = "big"});
  return zip.bytes();
}

std::string row_major(const TorchFile& file) {
  std::string buffer;
  return std::string(as_text(row_major_bytes(file.tensors()[0], buffer)));
}

TEST(Pytorch, reads_archives_of_big_endian_machines) {
  std::string values = floats(kValues);
  EXPECT_EQ(row_major(read(big_endian(TensorMade(), turned(values, 4)))), values);
  TensorMade doubles{.shape = {3}, .strides = {1}, .elements = 3, .storage = "DoubleStorage"};
  EXPECT_EQ(row_major(read(big_endian(doubles, turned(values, 8)))), values);
  TensorMade complex{.shape = {3}, .strides = {1}, .elements = 3, .storage = "ComplexFloatStorage"};
  EXPECT_EQ(row_major(read(big_endian(complex, turned(values, 4)))), values);
  TensorMade bytes{.shape = {24}, .strides = {1}, .elements = 24, .storage = "ByteStorage"};
  EXPECT_EQ(row_major(read(big_endian(bytes, values))), values);
}

TEST(Pytorch, the_old_format_is_little_endian_on_any_machine) {
  std::string file =
      torch_legacy(TensorMade().pickle(), "]" + pickle_text("0") + "a", u64(6) + floats(kValues));
  size_t flag = file.find("little_endian") + 13;
  file[flag] = '\x89';  // False
  EXPECT_EQ(row_major(read(file)), floats(kValues));
}

TEST(Pytorch, refuses_an_order_of_bytes_that_is_not_known) {
  ZipMade zip = torch_zip(TensorMade().pickle(), floats(kValues));
  zip.entries.push_back({.name = "x/byteorder", .data = "middle"});
  EXPECT_THAT(refusal(zip.bytes()), HasSubstr("order of bytes is 'middle'"));
}

// An object of a class, made as Python makes those of modules.
std::string object_of(const std::string& cls, const std::string& state) {
  return "c" + cls + "\n)\x81" + state + "b";
}
std::string module_state(const std::string& parameters) {
  return "}(" + pickle_text("_parameters") + parameters + pickle_text("_modules") + "}" +
         pickle_text("width") + "K\7u";
}

TEST(Pytorch, recovers_the_tensors_of_modules_of_any_package) {
  std::string inner =
      object_of("timm.layers\nBlock", module_state(pickle_dict("weight", TensorMade().pickle())));
  std::string outer =
      object_of("my.models\nNet", "}(" + pickle_text("_parameters") + "}" + pickle_text("_modules") +
                                      pickle_dict("block", inner) + "u");
  TorchFile file = read(torch_zip(outer, floats(kValues)).bytes());
  ASSERT_EQ(file.tensors().size(), 1u);
  EXPECT_EQ(file.tensors()[0].name, "block.weight");
  EXPECT_THAT(file.remarks(),
              ElementsAre(HasSubstr("class my.models.Net"), HasSubstr("class timm.layers.Block")));
}

TEST(Pytorch, refuses_names_that_do_not_prove_classes_of_modules) {
  std::string parameters = pickle_dict("weight", TensorMade().pickle());
  auto refused = [](const std::string& object) {
    return refusal(torch_zip(object, floats(kValues)).bytes());
  };
  EXPECT_THAT(refused("cposix\nsystem\n"), HasSubstr("names posix.system"));
  EXPECT_THAT(refused(object_of("posix\nsystem", "}")), HasSubstr("names posix.system"));
  EXPECT_THAT(refused("cposix\nsystem\n0N"), HasSubstr("names posix.system"));
  EXPECT_THAT(refused("cposix\nsystem\n(S'id'\ntR"), HasSubstr("names posix.system"));
  EXPECT_THAT(refused("cposix\nsystem\n(S'id'\nt\x81" + module_state(parameters) + "b"),
              HasSubstr("names posix.system"));
  EXPECT_THAT(refused("(S'id'\niposix\nsystem\n" + module_state(parameters) + "b"),
              HasSubstr("names posix.system"));
  EXPECT_THAT(refused("]" + object_of("a\nNet", module_state(parameters)) + "acposix\nsystem\na"),
              HasSubstr("names posix.system"));
  EXPECT_THAT(refused(object_of("a\nNet", module_state(parameters)) + "0ca\nNet\n)R"),
              HasSubstr("names a.Net"));
  EXPECT_THAT(refused(object_of("builtins\nexec", module_state(parameters))),
              HasSubstr("names builtins.exec"));
}

TEST(Pytorch, reads_classes_with_their_source_in_the_old_format) {
  std::string cls = "(" + pickle_text("module") + "cmy.models\nNet\n" + pickle_text("net.py") +
                    pickle_text("import os") + "tQ";
  std::string object = cls + ")\x81" + module_state(pickle_dict("weight", TensorMade().pickle())) + "b";
  TorchFile file = read(torch_legacy(object, "]" + pickle_text("0") + "a", u64(6) + floats(kValues)));
  EXPECT_EQ(file.tensors()[0].name, "weight");
}

TEST(Pytorch, refuses_archives_of_others) {
  EXPECT_THAT(refusal(ZipMade{{{.name = "a/b", .data = "c"}}}.bytes()), HasSubstr("not one of PyTorch's"));
  EXPECT_THAT(refusal(ZipMade{{{.name = "a/b", .data = "c"}, {.name = "x/data.pkl", .data = "N."}}}.bytes()),
              HasSubstr("not one of PyTorch's"));
}

TEST(Pytorch, refuses_two_tensors_of_a_name) {
  std::string t = TensorMade().pickle();
  EXPECT_THAT(
      refusal(torch_zip("}" + pickle_text("a.b") + t + "s" + pickle_text("a") + pickle_dict("b", t) + "s",
                        floats(kValues))
                  .bytes()),
      HasSubstr("the name 'a.b'"));
}

TEST(Pytorch, refuses_long_names_shared_by_many) {
  std::string key = pickle_text(std::string(1000, 'k')) + "q\2";
  std::string deep = "}" + key + TensorMade().pickle() + "s";
  for (int i = 0; i < 500; ++i) deep = "}h\2" + deep + "s";
  EXPECT_NE(refusal(torch_zip("(" + key + "0" + deep + "t", floats(kValues)).bytes()), "");
}

TEST(Pytorch, refuses_what_is_cut_off_at_any_byte) {
  std::string zip = torch_zip(TensorMade().pickle(), floats(kValues)).bytes();
  for (size_t n = 2; n < zip.size(); ++n) EXPECT_NE(refusal(zip.substr(0, n)), "") << n;
  for (size_t n = 0; n < legacy().size(); ++n) EXPECT_NE(refusal(legacy().substr(0, n)), "") << n;
}

TEST(Pytorch, survives_any_changed_bit_of_the_old_format) {
  std::string good = legacy();
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string wrong = good;
    wrong[i / 8] = static_cast<char>(wrong[i / 8] ^ 1 << i % 8);
    try {
      TorchFile file = read(wrong);
      for (const auto& t : file.tensors()) values(t);
    } catch (const FileError&) {
    }
  }
}

TEST(Pytorch, writes_what_it_reads) {
  TemporaryFolder folder;
  Array a = Array::empty({2, 3}, float32);
  std::copy(kValues.begin(), kValues.end(), a.data<float>());
  Array scalar = Array::empty({}, int64);
  *scalar.data<int64_t>() = 42;
  std::vector<NamedArray> arrays{{"a", a},
                                 {"tied", a},
                                 {"row", a.view({3}, {1}, 3)},
                                 {"t", a.view({3, 2}, {1, 3}, 0)},
                                 {"scalar", scalar},
                                 {"empty", Array::empty({0, 3}, bfloat16)}};
  write_pytorch(folder / "x.pt", arrays, {{"", 1}, {"bn", 2}});
  TorchFile file(folder / "x.pt");
  EXPECT_THAT(names(file), ElementsAre("a", "tied", "row", "t", "scalar", "empty"));
  EXPECT_EQ(values(file.tensors()[1]), kValues);
  EXPECT_THAT(values(file.tensors()[2]), ElementsAre(3, 4, 5));
  EXPECT_THAT(values(file.tensors()[3]), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_EQ(file.tensors()[0].storage->data(), file.tensors()[3].storage->data());
  EXPECT_EQ(*to_array(file.tensors()[4]).data<int64_t>(), 42);
  EXPECT_EQ(file.tensors()[5].shape, Shape({0, 3}));
  EXPECT_THROW(write_pytorch(folder / "x.pt", std::vector<NamedArray>{{"a", a}, {"a", a}}), ValueError);
}

}  // namespace
}  // namespace espalier::io
