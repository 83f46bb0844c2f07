#include <algorithm>
#include <numeric>
#include <optional>

#include <zlib.h>

#include <espalier/core/shape.h>
#include <espalier/core/threads.h>
#include <espalier/io/byte_reader.h>
#include <espalier/io/crc32.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

using Bytes = std::span<const std::byte>;

// A fuzzer can't guess a checksum.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kFuzzing = true;
#else
constexpr bool kFuzzing = false;
#endif

constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint32_t kCentral = 0x02014b50, kLocal = 0x04034b50;
constexpr size_t kEndBytes = 22, kLocatorBytes = 20, kCentralBytes = 46;
constexpr uint64_t kMaxEntries = 1 << 20;
constexpr uint16_t kEncrypted = 1 << 0 | 1 << 6 | 1 << 13;

struct Directory {
  uint64_t entries = 0, bytes = 0, offset = 0;
};

// The last record, behind which there is only its own comment.
size_t find_end(Bytes file) {
  require<FileError>(file.size() >= kEndBytes, "it is cut off: it has ", file.size(), " bytes");
  size_t last = file.size() - kEndBytes;
  for (size_t back = 0; back <= std::min<size_t>(last, 0xffff); ++back) {
    ByteReader r(file, last - back);
    if (r.number<uint32_t>() != kEnd) continue;
    r.take(16);
    if (r.number<uint16_t>() == back) return last - back;
  }
  throw FileError("its end is missing: the file is cut off, or bytes were added behind; get it anew");
}

Directory read_end64(Bytes file, size_t end) {
  ByteReader locator(file, end - kLocatorBytes);
  locator.take(4);
  bool one_disk = locator.number<uint32_t>() == 0;
  auto offset = locator.number<uint64_t>();
  one_disk = one_disk && locator.number<uint32_t>() <= 1;
  require<FileError>(one_disk, "it is a part of an archive of several disks");
  require<FileError>(offset <= end, "its directory's end lies behind the file's");
  ByteReader r(file, static_cast<size_t>(offset));
  require<FileError>(r.number<uint32_t>() == kEnd64, "its directory has no end");
  auto rest = r.number<uint64_t>();
  require<FileError>(rest == end - kLocatorBytes - r.at(), "its directory's end has a wrong size");
  r.take(4);
  uint64_t disks = r.number<uint64_t>();
  auto here = r.number<uint64_t>();
  Directory d{r.number<uint64_t>(), r.number<uint64_t>(), r.number<uint64_t>()};
  require<FileError>(disks == 0 && here == d.entries, "it is a part of an archive of several disks");
  require<FileError>(d.offset <= offset && d.bytes == offset - d.offset,
                     "its directory is not where it should be");
  return d;
}

Directory read_end(Bytes file) {
  size_t end = find_end(file);
  if (end >= kLocatorBytes && ByteReader(file, end - kLocatorBytes).number<uint32_t>() == kLocator64) {
    return read_end64(file, end);
  }
  ByteReader r(file, end + 4);
  uint32_t disks = r.number<uint32_t>();
  uint16_t here = r.number<uint16_t>();
  Directory d{r.number<uint16_t>(), r.number<uint32_t>(), r.number<uint32_t>()};
  require<FileError>(disks == 0 && here == d.entries, "it is a part of an archive of several disks");
  require<FileError>(d.offset <= end && d.bytes == end - d.offset, "its directory is not where it should be");
  return d;
}

void check_name(std::string_view name) {
  bool good = !name.empty() && name[0] != '/' && name.find('\\') == name.npos && name.find('\0') == name.npos;
  for (size_t at = 0; good && at <= name.size();) {
    size_t end = std::min(name.find('/', at), name.size());
    good = name.substr(at, end - at) != "..";
    at = end + 1;
  }
  require<FileError>(good, "the entry '", printable(name), "' has a name that leads out of its folder");
}

// Sizes and places that do not fit in 32 bits stand in an extra field, in this order, if any.
void read_extra64(Bytes extra, std::initializer_list<uint64_t*> fields) {
  for (ByteReader r(extra); r.left() >= 4;) {
    auto id = r.number<uint16_t>();
    ByteReader field(r.take(r.number<uint16_t>()));
    if (id != 1) continue;
    for (uint64_t* f : fields) {
      if (*f == 0xffffffff) *f = field.number<uint64_t>();
    }
    return;
  }
}

int64_t where_data_begin(Bytes file, uint64_t local, const ZipEntry& e) {
  require<FileError>(local <= file.size(), "the entry '", printable(e.name), "' lies behind the file's end");
  ByteReader r(file, static_cast<size_t>(local));
  require<FileError>(r.number<uint32_t>() == kLocal, "the entry '", printable(e.name),
                     "' is not where it should be");
  r.take(2);
  auto flags = r.number<uint16_t>();
  auto method = r.number<uint16_t>();
  r.take(16);
  auto name_bytes = r.number<uint16_t>();
  auto extra_bytes = r.number<uint16_t>();
  require<FileError>(r.text(name_bytes) == e.name, "the entry '", printable(e.name),
                     "' has another name before its data");
  require<FileError>(!(flags & kEncrypted) && method == (e.deflated ? 8 : 0), "the entry '",
                     printable(e.name), "' is packed in another way than its directory says");
  r.take(extra_bytes);
  return static_cast<int64_t>(r.at());
}

struct Placed {
  ZipEntry entry;
  uint64_t local;  // where its header before the data begins
};

Placed read_central(ByteReader& r, Bytes file) {
  require<FileError>(r.number<uint32_t>() == kCentral, "its directory is damaged");
  r.take(4);
  auto flags = r.number<uint16_t>();
  auto method = r.number<uint16_t>();
  r.take(4);
  Placed p;
  p.entry.crc = r.number<uint32_t>();
  uint64_t compressed = r.number<uint32_t>(), size = r.number<uint32_t>();
  auto name_bytes = r.number<uint16_t>(), extra_bytes = r.number<uint16_t>(),
       comment_bytes = r.number<uint16_t>();
  auto disk = r.number<uint16_t>();
  r.take(6);
  uint64_t local = r.number<uint32_t>();
  p.entry.name = r.text(name_bytes);
  read_extra64(r.take(extra_bytes), {&size, &compressed, &local});
  r.take(comment_bytes);
  std::string what = concat("the entry '", printable(p.entry.name), "' ");
  check_name(p.entry.name);
  require<FileError>(disk == 0 || disk == 0xffff, what, "lies on another disk");
  require<FileError>(!(flags & kEncrypted), what, "is encrypted");
  require<FileError>(method == 0 || method == 8, what, "is packed in a way that is not read (method ", method,
                     ")");
  require<FileError>(size <= INT64_MAX && compressed <= file.size(), what, "is larger than the file");
  require<FileError>(method == 8 || size == compressed, what, "has two sizes");
  p.entry.deflated = method == 8;
  p.entry.size = static_cast<int64_t>(size);
  p.entry.compressed = static_cast<int64_t>(compressed);
  p.entry.offset = where_data_begin(file, local, p.entry);
  p.local = local;
  return p;
}

void check_places(const std::vector<Placed>& placed, uint64_t directory) {
  std::vector<const Placed*> order;
  for (const auto& p : placed) order.push_back(&p);
  std::ranges::sort(order, {}, [](const Placed* p) { return p->local; });
  for (size_t i = 0; i < order.size(); ++i) {
    const ZipEntry& e = order[i]->entry;
    uint64_t end = i + 1 < order.size() ? order[i + 1]->local : directory;
    require<FileError>(static_cast<uint64_t>(e.offset + e.compressed) <= end, "the entry '",
                       printable(e.name), "' reaches into what follows it");
  }
}

void check_expansion(const std::vector<ZipEntry>& entries, size_t file_bytes) {
  int64_t left = expansion_limit(file_bytes);
  for (const ZipEntry& e : entries) {
    if (!e.deflated) continue;
    require<FileError>(e.size <= left, "unpacked it would take more than ", expansion_limit(file_bytes),
                       " bytes of memory");
    left -= e.size;
  }
}

void inflate_into(Bytes from, std::string& to, const ZipEntry& e) {
  z_stream z{};
  require<MemoryError>(::inflateInit2(&z, -MAX_WBITS) == Z_OK, "no memory to unpack '", printable(e.name),
                       "'");
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
  z.next_out = reinterpret_cast<Bytef*>(to.data());
  size_t in = from.size(), out = to.size();
  int result = Z_OK;
  while (result == Z_OK) {
    constexpr size_t kStep = 1 << 30;
    z.avail_in = static_cast<uInt>(std::min(in, kStep));
    z.avail_out = static_cast<uInt>(std::min(out, kStep));
    in -= z.avail_in, out -= z.avail_out;
    result = ::inflate(&z, Z_NO_FLUSH);
    in += z.avail_in, out += z.avail_out;
  }
  ::inflateEnd(&z);
  require<FileError>(result == Z_STREAM_END && in == 0 && out == 0, "the entry '", printable(e.name),
                     "' can't be unpacked; get the file anew");
}

// Part by part, so that no more than one of a mapped file for each thread is in memory.
uint32_t crc_of(Bytes bytes) {
  constexpr size_t kPart = 1 << 22;
  std::vector<uint32_t> crcs((bytes.size() + kPart - 1) / kPart);
  auto part = [&](size_t i) { return bytes.subspan(i * kPart, std::min(kPart, bytes.size() - i * kPart)); };
  parallel_for(static_cast<int64_t>(crcs.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (crcs.size() > 1) fetch(part(i));
      crcs[i] = crc32(part(i));
      forget(part(i));
    }
  });
  uint32_t whole = 0;
  for (size_t i = 0; i < crcs.size(); ++i) {
    whole = static_cast<uint32_t>(::crc32_combine(whole, crcs[i], static_cast<z_off_t>(part(i).size())));
  }
  return whole;
}

}  // namespace

int64_t expansion_limit(size_t file_bytes) {
  return (int64_t{64} << 20) + 16 * static_cast<int64_t>(file_bytes);
}

ZipFile::ZipFile(Bytes file) : file_(file) {
  Directory d = read_end(file);
  require<FileError>(d.entries <= kMaxEntries, "it holds ", d.entries, " entries, more than the ",
                     kMaxEntries, " that Espalier reads");
  require<FileError>(d.entries <= d.bytes / kCentralBytes, "its directory is too short for its ", d.entries,
                     " entries");
  ByteReader r(file.subspan(static_cast<size_t>(d.offset), static_cast<size_t>(d.bytes)));
  std::vector<Placed> placed;
  for (uint64_t i = 0; i < d.entries; ++i) placed.push_back(read_central(r, file));
  require<FileError>(r.left() == 0, "its directory holds more than its entries");
  check_places(placed, d.offset);
  for (auto& p : placed) entries_.push_back(std::move(p.entry));
  check_expansion(entries_, file.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    bool is_new = places_.emplace(entries_[i].name, i).second;
    require<FileError>(is_new, "it holds two entries '", printable(entries_[i].name), "'");
  }
}

const ZipEntry* ZipFile::find(std::string_view name) const {
  auto found = places_.find(name);
  return found == places_.end() ? nullptr : &entries_[found->second];
}

Bytes ZipFile::read(const ZipEntry& entry, std::string& buffer) const {
  Bytes bytes = file_.subspan(static_cast<size_t>(entry.offset), static_cast<size_t>(entry.compressed));
  if (entry.deflated) {
    buffer.assign(static_cast<size_t>(entry.size), '\0');
    inflate_into(bytes, buffer, entry);
    bytes = std::as_bytes(std::span(buffer));
  }
  require<FileError>(kFuzzing || crc_of(bytes) == entry.crc, "the entry '", printable(entry.name),
                     "' is damaged: its CRC-32 is another; get the file anew");
  return bytes;
}

bool is_zip(std::span<const std::byte> file) { return as_text(file).starts_with("PK\3\4"); }

}  // namespace espalier::io
