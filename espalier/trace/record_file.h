#pragma once

#include <string>

#include <espalier/trace/record.h>

namespace espalier::trace {

// A record as JSON at `path`; values of tensors, where some are kept, go to a file beside it that ends with
// .safetensors instead of .json. Both appear whole or not at all.
void write_record(const std::string& path, const Record& record);
// Throws FileError that names the file and what is wrong in it.
Record read_record(const std::string& path);

// The same without a file; values are left out. `where` stands in front of errors.
std::string to_json(const Record& record);
Record record_from_json(const std::string& text, const std::string& where);

}  // namespace espalier::trace
