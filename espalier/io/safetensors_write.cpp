#include <algorithm>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/safetensors_format.h>

namespace espalier::io {
namespace {

std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(concat("safetensors: the text '", printable(text), "' is not UTF-8"));
  }
}

const SafetensorsDType& format_of(DType dtype) {
  return *std::ranges::find(safetensors_dtypes(), std::optional(dtype), &SafetensorsDType::dtype);
}

void check_names(const std::vector<NamedArray>& arrays) {
  std::unordered_set<std::string_view> names;
  for (const auto& [name, array] : arrays) {
    require<ValueError>(name != kMetadataKey, "safetensors: no tensor can have the name ", name,
                        ", which the format keeps for itself; rename it");
    require<ValueError>(names.insert(name).second, "safetensors: there are two tensors '", printable(name),
                        "'; rename one");
  }
}

std::vector<const NamedArray*> in_file_order(const std::vector<NamedArray>& arrays) {
  std::vector<const NamedArray*> order;
  for (const auto& a : arrays) order.push_back(&a);
  std::ranges::sort(order, [](const NamedArray* a, const NamedArray* b) {
    const auto *rank_a = &format_of(a->array.dtype), *rank_b = &format_of(b->array.dtype);
    return rank_a != rank_b ? rank_a > rank_b : a->name < b->name;
  });
  return order;
}

std::string metadata_text(const Metadata& metadata) {
  std::string out;
  for (const auto& [key, value] : metadata) {
    out += concat(out.empty() ? "{" : ",", quoted(key), ":", quoted(value));
  }
  return out + "}";
}

std::string shape_text(const Shape& shape) {
  std::string out = to_string(shape);
  std::erase(out, ' ');
  return out;
}

std::string header_text(const std::vector<const NamedArray*>& order, const Metadata& metadata) {
  std::string out;
  if (!metadata.empty()) out = concat(quoted(std::string(kMetadataKey)), ":", metadata_text(metadata));
  int64_t at = 0;
  for (const NamedArray* a : order) {
    int64_t end = checked_add(at, a->array.bytes(), "the size of the file");
    out += concat(out.empty() ? "" : ",", quoted(a->name), ":{\"dtype\":\"", format_of(a->array.dtype).code,
                  "\",\"shape\":", shape_text(a->array.shape), ",\"data_offsets\":[", at, ",", end, "]}");
    at = end;
  }
  out = concat("{", out, "}");
  out.resize((out.size() + 7) / 8 * 8, ' ');
  require<ValueError>(static_cast<int64_t>(out.size()) <= kMaxHeaderBytes,
                      "safetensors: the names and shapes take ", out.size(), " bytes, the format allows ",
                      kMaxHeaderBytes);
  return out;
}

// The elements of an array of any strides in row-major order.
std::string row_major_bytes(const Array& a) {
  auto size = static_cast<size_t>(itemsize(a.dtype));
  std::string out(static_cast<size_t>(a.bytes()), '\0');
  const char* data = static_cast<const char*>(a.data());
  Shape index = Shape::filled(a.rank(), 0);
  for (size_t at = 0; at < out.size(); at += size) {
    int64_t from = 0;
    for (int d = 0; d < a.rank(); ++d) from += index[d] * a.strides[d];
    std::memcpy(out.data() + at, data + from * static_cast<int64_t>(size), size);
    for (int d = a.rank() - 1; d >= 0 && ++index[d] == a.shape[d]; --d) index[d] = 0;
  }
  return out;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<NamedArray>& arrays,
                       const Metadata& metadata) {
  check_names(arrays);
  auto order = in_file_order(arrays);
  std::string header = header_text(order, metadata);
  uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const auto* a : order) {
    if (a->array.is_contiguous()) file.write(a->array.data(), static_cast<size_t>(a->array.bytes()));
    else file.write(row_major_bytes(a->array));
  }
  file.commit();
}

}  // namespace espalier::io
