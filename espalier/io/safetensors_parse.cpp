#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/safetensors_format.h>

namespace espalier::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");

constexpr SafetensorsDType kDTypes[] = {
    {"BOOL", "bool", 8, DType::boolean},
    {"F4", "float4_e2m1fn", 4, {}},
    {"F6_E2M3", "float6_e2m3fn", 6, {}},
    {"F6_E3M2", "float6_e3m2fn", 6, {}},
    {"U8", "uint8", 8, DType::uint8},
    {"I8", "int8", 8, {}},
    {"F8_E5M2", "float8_e5m2", 8, {}},
    {"F8_E4M3", "float8_e4m3fn", 8, {}},
    {"F8_E8M0", "float8_e8m0fnu", 8, {}},
    {"F8_E4M3FNUZ", "float8_e4m3fnuz", 8, {}},
    {"F8_E5M2FNUZ", "float8_e5m2fnuz", 8, {}},
    {"I16", "int16", 16, {}},
    {"U16", "uint16", 16, {}},
    {"F16", "float16", 16, {}},
    {"BF16", "bfloat16", 16, DType::bfloat16},
    {"I32", "int32", 32, DType::int32},
    {"U32", "uint32", 32, {}},
    {"F32", "float32", 32, DType::float32},
    {"C64", "complex64", 64, {}},
    {"F64", "float64", 64, DType::float64},
    {"I64", "int64", 64, DType::int64},
    {"U64", "uint64", 64, {}},
};

// Receives the header's JSON piece by piece and accepts exactly
// {"__metadata__": {text: text}, name: {"dtype": text, "shape": [sizes], "data_offsets": [begin, end]}, …}.
class HeaderReader {
 public:
  explicit HeaderReader(SafetensorsHeader& header) : header_(header) {}

  bool start_object(size_t) {
    if (place_ == Place::start) return go(Place::top);
    if (place_ != Place::top) return unexpected("an object");
    fields_.clear();
    if (name_ == kMetadataKey) return go(Place::metadata);
    entry_ = {};
    entry_.name = name_;
    return go(Place::entry);
  }

  bool key(std::string& key) {
    auto& seen = place_ == Place::top ? names_ : fields_;
    if (!seen.insert(key).second) refuse("the name '", printable(key), "' stands there twice");
    (place_ == Place::top ? name_ : field_) = key;
    if (place_ == Place::entry && key != "dtype" && key != "shape" && key != "data_offsets") {
      refuse("'", printable(key), "' is not a field of a tensor");
    }
    return true;
  }

  bool end_object() {
    if (place_ != Place::entry) return go(place_ == Place::top ? Place::end : Place::top);
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.count(field)) refuse("'", field, "' is missing");
    }
    header_.entries.push_back(std::move(entry_));
    return go(Place::top);
  }

  bool start_array(size_t) {
    if (place_ != Place::entry || field_ == "dtype") return unexpected("a list");
    count_ = 0;
    return go(field_ == "shape" ? Place::shape : Place::offsets);
  }

  bool end_array() {
    if (place_ == Place::offsets && count_ != 2)
      refuse("data_offsets holds ", count_, " numbers, it needs 2");
    return go(Place::entry);
  }

  bool number_unsigned(uint64_t value) {
    if (place_ != Place::shape && place_ != Place::offsets) return unexpected("a number");
    if (value > uint64_t{std::numeric_limits<int64_t>::max()}) refuse("the number ", value, " is too large");
    auto number = static_cast<int64_t>(value);
    ++count_;
    if (place_ == Place::offsets) return (count_ == 1 ? entry_.begin : entry_.end) = number, true;
    if (count_ > kMaxRank) refuse("it has more than ", kMaxRank, " dimensions, the most that Espalier reads");
    entry_.shape.push_back(number);
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) return header_.metadata.emplace(field_, text), true;
    if (place_ != Place::entry || field_ != "dtype") return unexpected("a text");
    auto known = std::ranges::find(kDTypes, text, &SafetensorsDType::code);
    if (known == std::end(kDTypes)) refuse("'", printable(text), "' is not an element type");
    entry_.dtype = &*known;
    return true;
  }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("true or false"); }
  bool binary(nlohmann::json::binary_t&) { return unexpected("binary data"); }
  bool number_integer(int64_t) { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) { return unexpected("a fraction or a number over 64 bits"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw FileError(concat("its header is not JSON in UTF-8: it breaks at byte ", position));
  }

 private:
  enum class Place { start, top, metadata, entry, shape, offsets, end };

  bool go(Place place) {
    place_ = place;
    return true;
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    if (place_ <= Place::top) throw FileError(concat("its header: ", parts...));
    if (place_ == Place::metadata) throw FileError(concat("its __metadata__: ", parts...));
    throw FileError(concat("tensor '", printable(name_), "': ", parts...));
  }

  bool unexpected(const char* what) const {
    switch (place_) {
      case Place::start: refuse("it is ", what, ", it must be an object");
      case Place::metadata: refuse("'", printable(field_), "' is ", what, ", it must be a text");
      case Place::top: refuse("'", printable(name_), "' is ", what, ", it must be an object");
      default: refuse("'", field_, "' holds ", what, ", which does not belong there");
    }
  }

  SafetensorsHeader& header_;
  Place place_ = Place::start;
  std::string name_, field_;  // the last keys of the outer and the inner object
  std::unordered_set<std::string> names_, fields_;
  SafetensorsEntry entry_;
  int count_ = 0;
};

// Where the header says data lie, `bytes` of them, must be exactly what the tensors need, without gap or
// overlap.
void check_layout(const std::vector<SafetensorsEntry>& entries, int64_t bytes) {
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(entries[i].begin, entries[i].end); });
  int64_t at = 0;
  for (size_t i : order) {
    const auto& e = entries[i];
    require<FileError>(e.begin == at && e.end >= e.begin, "tensor '", printable(e.name),
                       "': its data lie at ", e.begin, " to ", e.end, ", they should begin at ", at,
                       ", where those before it end");
    at = e.end;
  }
  require<FileError>(at <= bytes, "it is cut off: there are ", bytes, " bytes of data, its header speaks of ",
                     at, "; get it anew");
  require<FileError>(at == bytes, "there are ", bytes - at, " bytes behind the last tensor's data");
}

void check_size(const SafetensorsEntry& e) {
  int64_t bits = e.dtype->bits;
  bool fits = true, empty = false;
  for (int64_t size : e.shape) {
    fits = fits && !__builtin_mul_overflow(bits, std::max<int64_t>(size, 1), &bits);
    empty = empty || size == 0;
  }
  std::string tensor = concat("tensor '", printable(e.name), "': ");
  require<FileError>(fits, tensor, "the shape ", e.shape, " is too large");
  if (empty) bits = 0;
  require<FileError>(bits % 8 == 0, tensor, e.shape, " values of ", e.dtype->code,
                     " are not a whole number of bytes");
  require<FileError>(e.end - e.begin == bits / 8, tensor, e.shape, " values of ", e.dtype->code, " take ",
                     bits / 8, " bytes, its data_offsets give ", e.end - e.begin);
}

std::string_view header_text(std::span<const std::byte> file) {
  uint64_t length = 0;
  require<FileError>(file.size() >= sizeof length, "it has ", file.size(),
                     " bytes, too few for a safetensors file");
  std::memcpy(&length, file.data(), sizeof length);
  require<FileError>(length <= uint64_t{kMaxHeaderBytes}, "its header would have ", length,
                     " bytes, more than the ", kMaxHeaderBytes,
                     " that the format allows; this is not a safetensors file");
  require<FileError>(length <= file.size() - sizeof length, "it is cut off: it has ", file.size(),
                     " bytes, its header alone ", length, "; get it anew");
  return {reinterpret_cast<const char*>(file.data()) + sizeof length, static_cast<size_t>(length)};
}

}  // namespace

std::span<const SafetensorsDType> safetensors_dtypes() { return kDTypes; }

bool looks_like_safetensors(std::span<const std::byte> file) {
  uint64_t length = 0;
  if (file.size() <= sizeof length) return false;
  std::memcpy(&length, file.data(), sizeof length);
  auto first = static_cast<char>(file[sizeof length]);
  return length <= uint64_t{kMaxHeaderBytes} &&
         std::string_view("{ \t\r\n").find(first) != std::string_view::npos;
}

SafetensorsHeader parse_safetensors(std::span<const std::byte> file) {
  std::string_view text = header_text(file);
  // The JSON reader would take a zero byte for the end, and skip a byte order mark.
  require<FileError>(
      text.find('\0') == text.npos && !text.starts_with("\xef\xbb\xbf"),
      "its header is not JSON in UTF-8: it holds a zero byte or begins with a byte order mark");
  SafetensorsHeader header;
  HeaderReader reader(header);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  header.data_begin = static_cast<int64_t>(sizeof(uint64_t) + text.size());
  check_layout(header.entries, static_cast<int64_t>(file.size()) - header.data_begin);
  for (const auto& entry : header.entries) check_size(entry);
  return header;
}

}  // namespace espalier::io
