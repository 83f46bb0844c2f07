#pragma once

#include <string>

#include <espalier/trace/structure.h>

namespace espalier::trace {

// The tree of a model's modules as JSON at `path`.
void write_structure(const std::string& path, const Structure& structure);
// Throws FileError that names the file and what is wrong in it.
Structure read_structure(const std::string& path);

}  // namespace espalier::trace
