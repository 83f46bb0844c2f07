#pragma once

#include <string>

#include <espalier/trace/record.h>

namespace espalier::trace {

// A record as JSON at `path`; values of tensors, where some are kept, go to a file beside it that ends with
// .safetensors instead of .json. Both appear whole or not at all.
void write_record(const std::string& path, const Record& record);
// Throws FileError that names the file and what is wrong in it.
Record read_record(const std::string& path);

}  // namespace espalier::trace
