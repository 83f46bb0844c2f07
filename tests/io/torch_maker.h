#pragma once

#include "zip_maker.h"

// Pickles and files of PyTorch's made by hand, so that each part can be wrong.
namespace espalier {

inline std::string pickle_text(const std::string& s) { return "X" + u32(s.size()) + s; }
inline std::string pickle_int(int64_t i) { return "\x8a\x08" + u64(static_cast<uint64_t>(i)); }
inline std::string pickle_ints(const std::vector<int64_t>& list) {
  std::string out = "(";
  for (int64_t i : list) out += pickle_int(i);
  return out + "t";
}

struct TensorMade {
  std::vector<int64_t> shape{2, 3}, strides{3, 1};
  int64_t offset = 0, elements = 6;  // of the storage
  std::string key = "0", storage = "FloatStorage", tag = "storage";
  std::string last = "";  // of the storage's id, in the format before 1.6

  std::string pickle() const {
    std::string id = "(" + pickle_text(tag) + "ctorch\n" + storage + "\n" + pickle_text(key) +
                     pickle_text("cpu") + pickle_int(elements) + last + "tQ";
    return "ctorch._utils\n_rebuild_tensor_v2\n(" + id + pickle_int(offset) + pickle_ints(shape) +
           pickle_ints(strides) +
           "\x89"
           "ccollections\nOrderedDict\n)RtR";
  }
};

// {"x": tensor}
inline std::string pickle_dict(const std::string& name, const std::string& value) {
  return "}" + pickle_text(name) + value + "s";
}

inline std::string floats(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

inline ZipMade torch_zip(const std::string& object, const std::string& data) {
  ZipMade zip;
  zip.entries = {{.name = "x/data.pkl", .data = "\x80\2" + object + "."},
                 {.name = "x/data/0", .data = data},
                 {.name = "x/version", .data = "3\n"}};
  return zip;
}

// The format before PyTorch 1.6.
inline std::string torch_legacy(const std::string& object, const std::string& keys, const std::string& data) {
  std::string begin = "\x80\2";
  return begin + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + begin + "M\xe9\3." + begin + "}" +
         pickle_text("little_endian") + "\x88s." + begin + object + "." + begin + keys + "." + data;
}

}  // namespace espalier
