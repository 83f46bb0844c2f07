#include <algorithm>
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

const SafetensorsDType& format_of(const StoredTensor& t) {
  require<DTypeError>(!t.quantizer, "safetensors has no quantised tensors such as '", printable(t.name),
                      "' (", t.type->name, "); save them to .pt, or their values: t.dequantize() in Python");
  auto known = std::ranges::find(safetensors_dtypes(), t.type->name, &SafetensorsDType::name);
  require<DTypeError>(known != safetensors_dtypes().end(), "safetensors: there is no ", t.type->name,
                      ", the type of '", printable(t.name), "'; convert it before");
  return *known;
}

void check_names(const std::vector<StoredTensor>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const auto& t : tensors) {
    require<ValueError>(t.name != kMetadataKey, "safetensors: no tensor can have the name ", t.name,
                        ", which the format keeps for itself; rename it");
    require<ValueError>(names.insert(t.name).second, "safetensors: there are two tensors '",
                        printable(t.name), "'; rename one");
  }
}

std::vector<const StoredTensor*> in_file_order(const std::vector<StoredTensor>& tensors) {
  std::vector<const StoredTensor*> order;
  for (const auto& t : tensors) order.push_back(&t);
  std::ranges::sort(order, [](const StoredTensor* a, const StoredTensor* b) {
    const auto *rank_a = &format_of(*a), *rank_b = &format_of(*b);
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

std::string header_text(const std::vector<const StoredTensor*>& order, const Metadata& metadata) {
  std::string out;
  if (!metadata.empty()) out = concat(quoted(std::string(kMetadataKey)), ":", metadata_text(metadata));
  int64_t at = 0;
  for (const StoredTensor* t : order) {
    int64_t end = checked_add(at, t->bytes(), "the size of the file");
    out += concat(out.empty() ? "" : ",", quoted(t->name), ":{\"dtype\":\"", format_of(*t).code,
                  "\",\"shape\":", shape_text(t->shape), ",\"data_offsets\":[", at, ",", end, "]}");
    at = end;
  }
  out = concat("{", out, "}");
  out.resize((out.size() + 7) / 8 * 8, ' ');
  require<ValueError>(static_cast<int64_t>(out.size()) <= kMaxHeaderBytes,
                      "safetensors: the names and shapes take ", out.size(), " bytes, the format allows ",
                      kMaxHeaderBytes);
  return out;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<NamedArray>& arrays,
                       const Metadata& metadata) {
  std::vector<StoredTensor> tensors;
  for (const auto& [name, array] : arrays) tensors.push_back(stored(name, array));
  write_safetensors(path, tensors, metadata);
}

void write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors,
                       const Metadata& metadata) {
  check_names(tensors);
  auto order = in_file_order(tensors);
  std::string header = header_text(order, metadata);
  uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const StoredTensor* t : order) {
    std::string buffer;
    auto bytes = row_major_bytes(*t, buffer);
    file.write(bytes.data(), bytes.size());
  }
  file.commit();
}

}  // namespace espalier::io
