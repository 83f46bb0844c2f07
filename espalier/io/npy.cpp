#include <espalier/io/npy.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

#include <espalier/core/error.h>
#include <espalier/io/byte_order.h>
#include <espalier/io/byte_reader.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;

struct NumpyType {
  std::string_view code, name;
};

constexpr NumpyType kTypes[] = {
    {"<f4", "float32"}, {"<f8", "float64"}, {"<f2", "float16"},   {"<i8", "int64"},       {"<i4", "int32"},
    {"<i2", "int16"},   {"|i1", "int8"},    {"<u8", "uint64"},    {"<u4", "uint32"},      {"<u2", "uint16"},
    {"|u1", "uint8"},   {"|b1", "bool"},    {"<c8", "complex64"}, {"<c16", "complex128"},
};

const ElementType& type_of(std::string_view code) {
  require<FileError>(code.find('O') == code.npos,
                     "it holds Python objects, in a pickle, which is not read; save plain numbers");
  std::string little =
      concat(code.starts_with('>') ? "<" : code.substr(0, 1), code.substr(std::min<size_t>(code.size(), 1)));
  auto known = std::ranges::find(kTypes, little, &NumpyType::code);
  require<FileError>(known != std::end(kTypes), "its element type '", printable(code),
                     "' is not one of plain numbers");
  return *find_element_type(known->name);
}

// Reads exactly {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, keys in any order.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  void read() {
    expect('{');
    while (!skip('}')) {
      std::string_view key = quoted();
      expect(':');
      if (key == "descr") code = quoted();
      else if (key == "fortran_order") fortran = boolean();
      else if (key == "shape") shape = sizes();
      else fail();
      if (!seen_.insert(key).second) fail();
      if (!skip(',')) {
        expect('}');
        break;
      }
    }
    spaces();
    if (!text_.empty() || seen_.size() != 3) fail();
  }

  std::string_view code;
  bool fortran = false;
  Shape shape;

 private:
  [[noreturn]] static void fail() { throw FileError("its header is damaged"); }
  void spaces() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }
  bool skip(char c) {
    spaces();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!skip(c)) fail();
  }
  std::string_view quoted() {
    expect('\'');
    size_t end = text_.find('\'');
    if (end == text_.npos) fail();
    std::string_view out = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return out;
  }
  bool boolean() {
    spaces();
    bool value = text_.starts_with("True");
    if (!value && !text_.starts_with("False")) fail();
    text_.remove_prefix(value ? 4 : 5);
    return value;
  }
  Shape sizes() {
    Shape out;
    expect('(');
    while (!skip(')')) {
      spaces();
      int64_t size = 0;
      auto r = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (r.ec != std::errc() || size < 0) fail();
      text_.remove_prefix(static_cast<size_t>(r.ptr - text_.data()));
      require<FileError>(out.rank() < kMaxRank, "it has more than ", kMaxRank,
                         " dimensions, the most that Espalier reads");
      out.push_back(size);
      if (!skip(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }

  std::string_view text_;
  std::set<std::string_view> seen_;
};

Strides column_major_strides(const Shape& shape) {
  Strides out = shape;
  int64_t step = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    out[d] = step;
    step *= std::max<int64_t>(shape[d], 1);
  }
  return out;
}

// The bytes that the elements take; no shape is so large that it can't be counted.
int64_t bytes_of(const Shape& shape, const ElementType& type) {
  int64_t bytes = type.bits / 8;
  bool fits = true, empty = false;
  for (int64_t d : shape) {
    fits = fits && !__builtin_mul_overflow(bytes, std::max<int64_t>(d, 1), &bytes);
    empty = empty || d == 0;
  }
  require<FileError>(fits, "its shape ", shape, " is too large");
  return empty ? 0 : bytes;
}

// Names the file in errors.
template <class F>
auto reading(const std::string& path, F&& f) {
  try {
    return f(map_file(path));
  } catch (FileError& e) {
    if (!e.message().starts_with("can't read")) e.prepend(concat("can't read '", path, "': "));
    throw;
  }
}

std::string npy_header(const StoredTensor& t) {
  require<DTypeError>(!t.quantizer, "NumPy has no quantised tensors such as '", printable(t.name), "' (",
                      t.type->name, "); save them to .pt, or their values: t.dequantize() in Python");
  auto known = std::ranges::find(kTypes, t.type->name, &NumpyType::name);
  require<DTypeError>(known != std::end(kTypes), "NumPy has no ", t.type->name, ", the type of '",
                      printable(t.name), "'; convert it to float32 before");
  std::string shape = to_string(t.shape);
  shape = t.shape.rank() == 1 ? concat(t.shape[0], ",") : shape.substr(1, shape.size() - 2);
  std::string text =
      concat("{'descr': '", known->code, "', 'fortran_order': False, 'shape': (", shape, "), }");
  size_t fixed = kMagic.size() + 4;
  text.resize((fixed + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - fixed - 1, ' ');
  text += '\n';
  auto length = static_cast<uint16_t>(text.size());
  return concat(kMagic, '\1', '\0', std::string(reinterpret_cast<char*>(&length), sizeof length), text);
}

}  // namespace

bool is_npy(Bytes file) { return as_text(file).starts_with(kMagic); }

StoredTensor parse_npy(Bytes file, Owner owner, std::string name) {
  require<FileError>(is_npy(file), "it is not a file of NumPy's");
  ByteReader bytes(file, kMagic.size());
  auto version = bytes.number<uint8_t>();
  bytes.take(1);
  require<FileError>(version >= 1 && version <= 3, "it is of version ", version, ", which is not known");
  uint32_t length = version == 1 ? bytes.number<uint16_t>() : bytes.number<uint32_t>();
  HeaderReader header(bytes.text(length));
  header.read();
  StoredTensor t{std::move(name), &type_of(header.code), header.shape, {}, {}, 0};
  int64_t needed = bytes_of(t.shape, *t.type);
  require<FileError>(static_cast<uint64_t>(needed) == bytes.left(), "its shape ", t.shape, " takes ", needed,
                     " bytes, there are ", bytes.left());
  t.strides = header.fortran ? column_major_strides(t.shape) : contiguous_strides(t.shape);
  Bytes values = bytes.take(bytes.left());
  if (header.code.starts_with('>')) {
    auto turned = bytes_turned(values, *t.type);
    values = std::as_bytes(std::span(*turned));
    owner = std::move(turned);
  }
  t.storage = Storage::borrow(const_cast<std::byte*>(values.data()), needed, std::move(owner));
  return t;
}

std::vector<StoredTensor> parse_npz(const MappedFile& file) {
  ZipFile zip(file.bytes);
  std::vector<StoredTensor> out;
  for (const ZipEntry& entry : zip.entries()) {
    require<FileError>(entry.name.ends_with(".npy"), "it holds '", printable(entry.name),
                       "', which is no array of NumPy's");
    auto buffer = std::make_shared<std::string>();
    Bytes bytes = zip.read(entry, *buffer);
    try {
      out.push_back(parse_npy(bytes, entry.deflated ? Owner(buffer) : file.owner,
                              entry.name.substr(0, entry.name.size() - 4)));
    } catch (FileError& e) {
      e.prepend(concat("the array '", printable(entry.name), "': "));
      throw;
    }
  }
  return out;
}

Array read_npy(const std::string& path) {
  return reading(path, [](const MappedFile& file) { return to_array(parse_npy(file.bytes, file.owner)); });
}

std::vector<NamedArray> read_npz(const std::string& path) {
  return reading(path, [](const MappedFile& file) {
    std::vector<NamedArray> out;
    for (const StoredTensor& t : parse_npz(file)) out.push_back({t.name, to_array(t)});
    return out;
  });
}

void write_npy(const std::string& path, const Array& array) { write_npy(path, stored("", array)); }

void write_npy(const std::string& path, const StoredTensor& tensor) {
  std::string header = npy_header(tensor), buffer;
  AtomicFile file(path);
  file.write(header);
  file.write(as_text(row_major_bytes(tensor, buffer)));
  file.commit();
}

void write_npz(const std::string& path, const std::vector<NamedArray>& arrays) {
  std::vector<StoredTensor> tensors;
  for (const auto& [name, array] : arrays) tensors.push_back(stored(name, array));
  write_npz(path, tensors);
}

void write_npz(const std::string& path, const std::vector<StoredTensor>& tensors) {
  AtomicFile file(path);
  ZipWriter zip(file);
  for (const StoredTensor& t : tensors) {
    std::string buffer;
    zip.add(t.name + ".npy", concat(npy_header(t), as_text(row_major_bytes(t, buffer))));
  }
  zip.finish();
  file.commit();
}

}  // namespace espalier::io
