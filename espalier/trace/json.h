#pragma once

#include <string>

#include <espalier/trace/record.h>
#include <espalier/trace/structure.h>

// Records and structures as JSON, and back: what is read is checked and throws FileError that begins with
// `where`. Values of tensors are left out; their stats are kept.
namespace espalier::trace {

std::string to_json(const Record& record);
Record record_from_json(const std::string& text, const std::string& where);

std::string to_json(const Structure& structure);
Structure structure_from_json(const std::string& text, const std::string& where);

}  // namespace espalier::trace
