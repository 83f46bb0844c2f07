#include <espalier/io/onnx.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <unordered_set>

#include <espalier/core/error.h>
#include <espalier/io/protobuf.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Bytes = std::span<const std::byte>;
using Wire = ProtoReader::Wire;

// Numbers of fields: ModelProto, GraphProto, TensorProto, StringStringEntryProto.
constexpr uint64_t kGraph = 7, kInitializer = 5, kSparseInitializer = 15;
constexpr uint64_t kDims = 1, kDataType = 2, kSegment = 3, kFloats = 4, kInt32s = 5, kInt64s = 7, kName = 8,
                   kRaw = 9, kDoubles = 10, kUint64s = 11, kExternal = 13, kLocation = 14;
constexpr uint64_t kKey = 1, kValue = 2;
constexpr uint64_t kText = 8;  // the data type of texts

struct OnnxType {
  uint64_t code;
  std::string_view name;
  uint64_t field;  // that holds values which are not raw
};

constexpr OnnxType kTypes[] = {
    {1, "float32", kFloats},
    {2, "uint8", kInt32s},
    {3, "int8", kInt32s},
    {4, "uint16", kInt32s},
    {5, "int16", kInt32s},
    {6, "int32", kInt32s},
    {7, "int64", kInt64s},
    {9, "bool", kInt32s},
    {10, "float16", kInt32s},
    {11, "float64", kDoubles},
    {12, "uint32", kUint64s},
    {13, "uint64", kUint64s},
    {14, "complex64", kFloats},
    {15, "complex128", kDoubles},
    {16, "bfloat16", kInt32s},
    {17, "float8_e4m3fn", kInt32s},
    {18, "float8_e4m3fnuz", kInt32s},
    {19, "float8_e5m2", kInt32s},
    {20, "float8_e5m2fnuz", kInt32s},
    {21, "uint4", kInt32s},
    {22, "int4", kInt32s},
    {23, "float4_e2m1fn", kInt32s},
    {24, "float8_e8m0fnu", kInt32s},
};

struct TensorFields {
  std::string name;
  uint64_t type = 0;
  Shape shape;
  std::optional<Bytes> raw;
  std::map<uint64_t, std::string> typed;  // values by their field, as they would be raw
  std::map<std::string, std::string> external;
  bool is_external = false;
};

int64_t size_of(uint64_t dim) {
  require<FileError>(dim <= INT64_MAX, "a dimension of it is negative or too large");
  return static_cast<int64_t>(dim);
}

// A repeated field of numbers stands as one run of bytes or as single fields.
template <class F>
void each_number(const ProtoReader& field, F&& f) {
  if (field.wire() != Wire::bytes) return f(field.number());
  ByteReader packed(field.bytes());
  while (packed.left() > 0) {
    uint64_t value = 0;
    int shift = 0;
    for (uint8_t byte = 0x80; byte >= 0x80; shift += 7) {
      require<FileError>(shift < 64, "a number in it has more than 64 bits");
      byte = packed.number<uint8_t>();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    }
    f(value);
  }
}

// Integers of any type stand as varints, each in as many bytes as its type has.
void append_numbers(const ProtoReader& field, int bits, std::string& out) {
  require<FileError>(bits <= 64, "its values are integers, its type is not");
  each_number(field, [&](uint64_t value) {
    out.append(reinterpret_cast<const char*>(&value), static_cast<size_t>(std::max(bits / 8, 1)));
  });
}

// float and double stand as they are in memory, in one run or single.
void append_fixed(const ProtoReader& field, Wire single, std::string& out) {
  uint64_t number = field.number();
  if (field.wire() == Wire::bytes) return (void)out.append(field.text());
  require<FileError>(field.wire() == single, "its values are of another kind than its fields");
  out.append(reinterpret_cast<const char*>(&number), single == Wire::fixed32 ? 4 : 8);
}

Bytes bytes_in(const ProtoReader& field) {
  require<FileError>(field.wire() == Wire::bytes, "its field ", field.field(), " is of another kind");
  return field.bytes();
}

void read_external(Bytes entry, TensorFields& t) {
  std::string key, value;
  for (ProtoReader field(entry); field.next();) {
    if (field.field() == kKey) key = as_text(bytes_in(field));
    if (field.field() == kValue) value = as_text(bytes_in(field));
  }
  require<FileError>(t.external.emplace(key, value).second, "what it says of its data stands there twice");
}

int bits_of(uint64_t type) {
  auto known = std::ranges::find(kTypes, type, &OnnxType::code);
  return known == std::end(kTypes) ? 0 : find_element_type(known->name)->bits;
}

// The type may stand behind the values.
uint64_t type_of(Bytes tensor) {
  uint64_t type = 0;
  for (ProtoReader field(tensor); field.next();) {
    if (field.is(kDataType, Wire::varint)) type = field.number();
  }
  return type;
}

TensorFields fields_of(Bytes tensor) {
  TensorFields t;
  t.type = type_of(tensor);
  int bits = bits_of(t.type);
  for (ProtoReader field(tensor); field.next();) {
    switch (field.field()) {
      case kDims:
        each_number(field, [&](uint64_t dim) {
          require<FileError>(t.shape.rank() < kMaxRank, "it has more than ", kMaxRank,
                             " dimensions, the most that Espalier reads");
          t.shape.push_back(size_of(dim));
        });
        break;
      case kName: t.name = as_text(bytes_in(field)); break;
      case kRaw: t.raw = bytes_in(field); break;
      case kFloats: append_fixed(field, Wire::fixed32, t.typed[kFloats]); break;
      case kDoubles: append_fixed(field, Wire::fixed64, t.typed[kDoubles]); break;
      case kInt32s:
      case kInt64s:
      case kUint64s: append_numbers(field, bits, t.typed[field.field()]); break;
      case kExternal: read_external(bytes_in(field), t); break;
      case kLocation:
        t.is_external = t.is_external || field.wire() != Wire::varint || field.number() != 0;
        break;
      case kSegment: throw FileError("it is a part of a tensor, which is not read");
      default: break;
    }
  }
  return t;
}

int64_t bytes_of(const Shape& shape, int bits) {
  int64_t total = bits;
  bool fits = true, empty = false;
  for (int64_t size : shape) {
    fits = fits && !__builtin_mul_overflow(total, std::max<int64_t>(size, 1), &total);
    empty = empty || size == 0;
  }
  require<FileError>(fits && total <= INT64_MAX - 7, "its shape ", shape, " is too large");
  return empty ? 0 : (total + 7) / 8;
}

size_t whole_number(const std::map<std::string, std::string>& from, const char* key, size_t otherwise) {
  auto found = from.find(key);
  if (found == from.end()) return otherwise;
  size_t value = 0;
  const char* end = found->second.data() + found->second.size();
  auto r = std::from_chars(found->second.data(), end, value);
  require<FileError>(r.ec == std::errc() && r.ptr == end, "the ", key, " of its data is '",
                     printable(found->second), "', which is no number");
  return value;
}

// What lies in other files, which tensors may share, though not so often that little says much.
class ExternalData {
 public:
  explicit ExternalData(const OpenData& open) : open_(open) {}

  MappedFile bytes_of(const TensorFields& t) {
    auto location = t.external.find("location");
    require<FileError>(location != t.external.end(), "it does not say where its data are");
    std::string name = concat("'", printable(location->second), "'");
    auto [place, is_new] = files_.try_emplace(location->second);
    auto& [file, left] = place->second;
    if (is_new) file = open_(location->second), left = expansion_limit(file.bytes.size());
    size_t size = file.bytes.size(), offset = whole_number(t.external, "offset", 0);
    require<FileError>(offset <= size, "its data begin at byte ", offset, " of ", name, ", which has ", size);
    size_t length = whole_number(t.external, "length", size - offset);
    require<FileError>(length <= size - offset, "its data reach beyond the end of ", name);
    left -= static_cast<int64_t>(length);
    require<FileError>(left >= 0, "its tensors share ", name, " too often");
    return {file.owner, file.bytes.subspan(offset, length)};
  }

 private:
  const OpenData& open_;
  std::map<std::string, std::pair<MappedFile, int64_t>> files_;
};

// Where the values lie, in memory that `owner` keeps.
MappedFile values_of(TensorFields& t, const OnnxType& type, Owner owner, ExternalData& data) {
  if (t.is_external) return data.bytes_of(t);
  if (t.raw) return {std::move(owner), {const_cast<std::byte*>(t.raw->data()), t.raw->size()}};
  auto values = std::make_shared<std::string>(std::move(t.typed[type.field]));
  return {values, std::as_writable_bytes(std::span(values->data(), values->size()))};
}

StoredTensor tensor_of(TensorFields t, const Owner& owner, ExternalData& data) {
  auto type = std::ranges::find(kTypes, t.type, &OnnxType::code);
  require<FileError>(type != std::end(kTypes), "its element type ", t.type, " is not known");
  const ElementType* element = find_element_type(type->name);
  MappedFile values = values_of(t, *type, owner, data);
  int64_t needed = bytes_of(t.shape, element->bits);
  require<FileError>(values.bytes.size() == static_cast<size_t>(needed), "its shape ", t.shape, " takes ",
                     needed, " bytes, there are ", values.bytes.size());
  return {std::move(t.name),
          element,
          t.shape,
          contiguous_strides(t.shape),
          Storage::borrow(values.bytes.data(), needed, values.owner),
          0};
}

StoredTensor read_tensor(TensorFields fields, const Owner& owner, ExternalData& data) {
  std::string name = fields.name;
  try {
    return tensor_of(std::move(fields), owner, data);
  } catch (FileError& e) {
    e.prepend(concat("the tensor '", printable(name), "': "));
    throw;
  }
}

// Whether all fields on the outside are of numbers up to `last`, the one called `needed` among them.
bool looks_like(Bytes file, uint64_t last, uint64_t needed, Wire wire) {
  try {
    bool found = false;
    for (ProtoReader field(file); field.next();) {
      if (field.field() > last) return false;
      found = found || field.is(needed, wire);
    }
    return found;
  } catch (const FileError&) {
    return false;
  }
}

}  // namespace

bool is_onnx(Bytes file) { return looks_like(file, 26, kGraph, Wire::bytes); }
bool is_onnx_tensor(Bytes file) { return looks_like(file, 16, kDataType, Wire::varint); }

std::vector<StoredTensor> parse_onnx(const MappedFile& file, const OpenData& open,
                                     std::vector<std::string>& remarks) {
  std::vector<StoredTensor> out;
  std::unordered_set<std::string> names;
  ExternalData data(open);
  for (ProtoReader model(file.bytes); model.next();) {
    if (!model.is(kGraph, Wire::bytes)) continue;
    for (ProtoReader graph(model.bytes()); graph.next();) {
      if (graph.is(kSparseInitializer, Wire::bytes))
        remarks.push_back("it holds sparse tensors, which are left out");
      if (!graph.is(kInitializer, Wire::bytes)) continue;
      TensorFields fields = fields_of(graph.bytes());
      require<FileError>(names.insert(fields.name).second, "two of its tensors have the name '",
                         printable(fields.name), "'");
      if (fields.type == kText)
        remarks.push_back(concat("'", printable(fields.name), "' holds texts, which are left out"));
      else out.push_back(read_tensor(std::move(fields), file.owner, data));
    }
  }
  return out;
}

StoredTensor parse_onnx_tensor(const MappedFile& file, const OpenData& open) {
  ExternalData data(open);
  return read_tensor(fields_of(file.bytes), file.owner, data);
}

}  // namespace espalier::io
