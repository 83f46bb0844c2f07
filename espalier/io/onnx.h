#pragma once

#include <functional>
#include <string>
#include <vector>

#include <espalier/io/file.h>
#include <espalier/io/stored_tensor.h>

// The tensors of ONNX files: the initialisers of a model (.onnx), or the one tensor of a .pb file. The graph
// is not read.
namespace espalier::io {

bool is_onnx(std::span<const std::byte> file);         // whether a file looks like a model
bool is_onnx_tensor(std::span<const std::byte> file);  // or like one tensor

// Opens a file of data by its path from the model's folder.
using OpenData = std::function<MappedFile(const std::string& location)>;

// In the file's order. Throws FileError for what breaks the format. Texts are left out, with a remark.
std::vector<StoredTensor> parse_onnx(const MappedFile& file, const OpenData& open,
                                     std::vector<std::string>& remarks);
StoredTensor parse_onnx_tensor(const MappedFile& file, const OpenData& open);

}  // namespace espalier::io
