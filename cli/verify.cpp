#include <iostream>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/core/table.h>
#include <espalier/io/weights.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

// Opening checks every rule of the format, checksums and names in pickles included.
void run(const std::string& path) {
  io::WeightsFile file(path);
  for (const auto& remark : file.remarks()) throw FileError(concat("'", path, "': ", remark));
  std::cout << path << ": sound and safe (" << file.format() << ", "
            << text::grouped(static_cast<int64_t>(file.tensors().size())) << " tensors)\n";
}

}  // namespace

Work verify(CLI::App& command, const Common&) {
  auto path = std::make_shared<std::string>();
  command.add_option("file", *path, "A file of weights in any format")->required();
  return [path] { run(*path); };
}

}  // namespace espalier::cli
