#include <algorithm>

#include <espalier/core/error.h>
#include <espalier/io/crc32.h>
#include <espalier/io/zip.h>

namespace espalier::io {
namespace {

constexpr uint64_t kAlignment = 64, kMax32 = 0xffffffff, kMax16 = 0xffff;
constexpr size_t kLocalBytes = 30;
constexpr uint16_t kUtf8Names = 1 << 11, kDate = 1 << 5 | 1;  // the first of January 1980

template <class T>
std::string number(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
std::string u16(uint64_t v) { return number(static_cast<uint16_t>(v)); }
std::string u32(uint64_t v) { return number(static_cast<uint32_t>(v)); }
std::string u64(uint64_t v) { return number(v); }
std::string capped32(uint64_t v) { return u32(std::min(v, kMax32)); }

std::string extra_field(uint16_t id, const std::string& content) {
  return u16(id) + u16(content.size()) + content;
}

// What both headers of an entry begin with, behind their signatures. Sizes over 32 bits stand in `extra`.
std::string common(uint32_t crc, uint64_t size, const std::string& name, const std::string& extra) {
  uint16_t needs = size >= kMax32 ? 45 : 20;
  return u16(needs) + u16(kUtf8Names) + u16(0) + u16(0) + u16(kDate) + u32(crc) + capped32(size) +
         capped32(size) + u16(name.size()) + u16(extra.size());
}

}  // namespace

void ZipWriter::write(std::string_view text) {
  file_.write(text);
  at_ += text.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  require<ValueError>(name.size() < kMax16, "zip: the name '", printable(name), "' is too long");
  uint32_t crc = crc32(bytes);
  entries_.push_back({name, crc, bytes.size(), at_});
  std::string extra = bytes.size() >= kMax32 ? extra_field(1, u64(bytes.size()) + u64(bytes.size())) : "";
  uint64_t begin = at_ + kLocalBytes + name.size() + extra.size() + 4;
  extra += extra_field(0x4246, std::string((kAlignment - begin % kAlignment) % kAlignment, 'Z'));
  write("PK\3\4" + common(crc, bytes.size(), name, extra) + name + extra);
  write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void ZipWriter::finish() {
  uint64_t begin = at_;
  for (const Written& e : entries_) {
    std::string extra = e.size >= kMax32 ? u64(e.size) + u64(e.size) : "";
    if (e.offset >= kMax32) extra += u64(e.offset);
    if (!extra.empty()) extra = extra_field(1, extra);
    write("PK\1\2" + u16(45) + common(e.crc, e.size, e.name, extra) + u16(0) + u16(0) + u16(0) + u32(0) +
          capped32(e.offset) + e.name + extra);
  }
  uint64_t end = at_, count = entries_.size();
  if (count >= kMax16 || end >= kMax32) {
    write("PK\6\6" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(count) + u64(count) +
          u64(end - begin) + u64(begin));
    write("PK\6\7" + u32(0) + u64(end) + u32(1));
  }
  std::string short_count = u16(std::min(count, kMax16));
  write("PK\5\6" + u32(0) + short_count + short_count + capped32(end - begin) + capped32(begin) + u16(0));
}

}  // namespace espalier::io
