#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <espalier/io/file.h>
#include <espalier/io/named_array.h>
#include <espalier/io/stored_tensor.h>

// NumPy's files: .npy holds one array, .npz an archive of them. Arrays of Python objects are pickles and
// refused.
namespace espalier::io {

bool is_npy(std::span<const std::byte> file);

// One array in memory that `owner` keeps alive; values stay where they are.
StoredTensor parse_npy(std::span<const std::byte> file, Owner owner, std::string name = "");
// The arrays of an archive in its order, under their names without ".npy".
std::vector<StoredTensor> parse_npz(const MappedFile& file);

Array read_npy(const std::string& path);
std::vector<NamedArray> read_npz(const std::string& path);

// In row-major order. Throw DTypeError for what NumPy does not have, such as bfloat16.
void write_npy(const std::string& path, const Array& array);
void write_npy(const std::string& path, const StoredTensor& tensor);
void write_npz(const std::string& path, const std::vector<NamedArray>& arrays);
void write_npz(const std::string& path, const std::vector<StoredTensor>& tensors);

}  // namespace espalier::io
