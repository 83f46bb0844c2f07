#include <iostream>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/io/npy.h>
#include <espalier/io/weights.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string from, to;
};

// With the further names of tensors that the file holds once.
std::vector<io::StoredTensor> all_tensors(const io::WeightsFile& file) {
  auto out = file.tensors();
  for (const auto& [name, position] : file.aliases()) {
    out.push_back(out[position]);
    out.back().name = name;
  }
  return out;
}

void write_one(const std::string& path, const std::vector<io::StoredTensor>& tensors) {
  require<ValueError>(tensors.size() == 1, "'", path, "' can hold one array, there are ", tensors.size(),
                      "; give a name that ends with .npz");
  io::write_npy(path, tensors[0]);
}

void run(const Options& o) {
  auto tensors = all_tensors(io::WeightsFile(o.from));
  if (io::has_pytorch_name(o.to)) io::write_pytorch(o.to, tensors);
  else if (o.to.ends_with(".safetensors")) io::write_safetensors(o.to, tensors);
  else if (o.to.ends_with(".npz")) io::write_npz(o.to, tensors);
  else if (o.to.ends_with(".npy")) write_one(o.to, tensors);
  else throw CLI::ValidationError("to", "give a name that ends with .safetensors, .pt, .npz or .npy");
}

}  // namespace

Work convert(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("from", o->from, "A file of weights in any format")->required();
  command.add_option("to", o->to, "The file to write; its ending names the format")->required();
  return [o] { run(*o); };
}

}  // namespace espalier::cli
