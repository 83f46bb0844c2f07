#include <algorithm>
#include <filesystem>
#include <iostream>

#include <espalier/core/error.h>
#include <espalier/io/npy.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>
#include <espalier/io/zip.h>
#include <espalier/trace/record_file.h>
#include <espalier/trace/structure_file.h>
#include <espalier/train/run.h>

// Small sound files for the fuzzers to begin with: seeds FOLDER makes a folder for each fuzzer in it.
using namespace espalier;

namespace {

std::vector<io::NamedArray> arrays() {
  std::vector<io::NamedArray> out;
  for (DType t : {DType::float32, DType::bfloat16, DType::int64, DType::boolean}) {
    Array a = Array::empty({2, 3}, t);
    std::fill_n(static_cast<char*>(a.data()), a.bytes(), '\1');
    out.push_back({concat("layer.", t), a});
  }
  Array first = out[0].array;
  out.push_back({"tied", first});
  out.push_back({"transposed", first.view({3, 2}, {1, 3}, 0)});
  out.push_back({"scalar", first.view({}, {}, 2)});
  out.push_back({"empty", Array::empty({0, 3}, DType::float32)});
  return out;
}

std::vector<io::NamedArray> for_numpy() {
  auto all = arrays();
  std::erase_if(all, [](auto& a) { return a.array.dtype == DType::bfloat16; });
  return all;
}

// The pickle within an archive.
void write_pickle(const std::string& archive, const std::string& path) {
  io::MappedFile file = io::map_file(archive);
  io::ZipFile zip(file.bytes);
  std::string buffer;
  auto bytes = zip.read(*zip.find("archive/data.pkl"), buffer);
  io::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::cerr << "usage: seeds FOLDER\n", 2;
  std::string folder = argv[1];
  for (const char* name :
       {"safetensors", "pytorch", "pickle", "npy", "zip", "run", "record", "index", "onnx", "image"})
    std::filesystem::create_directories(concat(folder, "/", name));
  io::write_safetensors(folder + "/safetensors/own", arrays(), {{"format", "pt"}, {"alias", "tied"}});
  io::write_pytorch(folder + "/pytorch/own", arrays(), {{"", 1}, {"layer", 2}});
  io::write_pytorch(folder + "/zip/own", arrays());
  write_pickle(folder + "/pytorch/own", folder + "/pickle/own");
  io::write_npz(folder + "/zip/npz", for_numpy());
  for (auto& [name, array] : for_numpy()) io::write_npy(folder + "/npy/" + name, array);
  io::write_file(folder + "/run/line", train::to_json({.epoch = 1, .step = 9, .val_loss = 0.5, .lr = 0.1}));
  io::write_safetensors_shards(folder + "/x.index.json", arrays(), 64);
  std::filesystem::rename(folder + "/x.index.json", folder + "/index/own");
  trace::Record record;
  record.calls.resize(1);
  record.tensors.resize(1);
  trace::write_record(folder + "/record/record", record);
  trace::write_structure(folder + "/record/structure", {});
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
