#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline uint32_t crc32_of(const std::string& text) {
  uint32_t crc = ~0u;
  for (unsigned char c : text) {
    crc ^= c;
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

template <class T>
std::string little(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
inline std::string u16(uint64_t v) { return little(static_cast<uint16_t>(v)); }
inline std::string u32(uint64_t v) { return little(static_cast<uint32_t>(v)); }
inline std::string u64(uint64_t v) { return little(v); }

// An archive made by hand, so that each of its fields can be wrong.
struct ZipMade {
  struct Entry {
    std::string name, data;
    uint16_t flags = 0, method = 0;
    std::optional<uint32_t> crc = {}, size = {};  // where they are not those of the data
    std::optional<std::string> local_name = {};
    uint16_t disk = 0;
  };
  std::vector<Entry> entries;
  bool zip64 = false;
  std::function<void(std::string& directory)> change = [](std::string&) {};

  std::string bytes() const {
    std::string out, directory;
    for (const Entry& e : entries) {
      std::string fields = u16(e.flags) + u16(e.method) + u32(0) + u32(e.crc.value_or(crc32_of(e.data))) +
                           u32(e.data.size()) + u32(e.size.value_or(static_cast<uint32_t>(e.data.size())));
      std::string local = e.local_name.value_or(e.name);
      directory += "PK\1\2" + u16(20) + u16(20) + fields + u16(e.name.size()) + u16(0) + u16(0) +
                   u16(e.disk) + u16(0) + u32(0) + u32(out.size()) + e.name;
      out += "PK\3\4" + u16(20) + fields + u16(local.size()) + u16(0) + local + e.data;
    }
    change(directory);
    size_t begin = out.size(), count = entries.size();
    out += directory;
    if (zip64) {
      out += "PK\6\6" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(count) + u64(count) +
             u64(directory.size()) + u64(begin) + "PK\6\7" + u32(0) + u64(begin + directory.size()) + u32(1);
      return out + "PK\5\6" + u32(0) + u16(0xffff) + u16(0xffff) + u32(0xffffffff) + u32(0xffffffff) + u16(0);
    }
    return out + "PK\5\6" + u32(0) + u16(count) + u16(count) + u32(directory.size()) + u32(begin) + u16(0);
  }
};

// Deflate's way to store `data` as it is (up to 65535 bytes).
inline std::string deflate_stored(const std::string& data) {
  return "\1" + u16(data.size()) + u16(~data.size()) + data;
}

}  // namespace espalier
