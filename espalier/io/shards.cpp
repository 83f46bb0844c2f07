#include <espalier/io/shards.h>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/byte_reader.h>

namespace espalier::io {
namespace {

constexpr int kMaxNesting = 100;

// Receives the JSON piece by piece. What stands in other places than the weight map and the total size is
// skipped.
class IndexReader {
 public:
  explicit IndexReader(ShardIndex& index) : index_(index) {}

  bool start_object(size_t) { return enter(); }
  bool end_object() { return leave(); }
  bool start_array(size_t) { return enter(); }
  bool end_array() { return leave(); }

  bool key(std::string& key) {
    (depth_ == 1 ? outer_ : inner_) = key;
    if (depth_ != 1) return true;
    require<FileError>(key != "weight_map" || !seen_, "its weight_map stands there twice");
    seen_ = seen_ || key == "weight_map";
    return true;
  }

  bool string(std::string& file) {
    if (!in_map()) return true;
    bool plain =
        !file.empty() && file[0] != '.' && file.find_first_of(std::string_view("/\\\0", 3)) == file.npos;
    require<FileError>(plain, "the tensor '", printable(inner_), "' is in '", printable(file),
                       "', which is no file of the same folder");
    require<FileError>(index_.files.emplace(inner_, file).second, "the tensor '", printable(inner_),
                       "' stands there twice");
    return true;
  }

  bool number_unsigned(uint64_t value) {
    if (depth_ == 2 && outer_ == "metadata" && inner_ == "total_size") index_.total_size = value;
    return other();
  }
  bool number_integer(int64_t) { return other(); }
  bool number_float(double, const std::string&) { return other(); }
  bool null() { return other(); }
  bool boolean(bool) { return other(); }
  bool binary(nlohmann::json::binary_t&) { return other(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw FileError(concat("it is not JSON in UTF-8: it breaks at byte ", position));
  }

  bool seen() const { return seen_; }

 private:
  bool in_map() const { return depth_ == 2 && outer_ == "weight_map"; }
  bool other() const {
    require<FileError>(!in_map(), "the tensor '", printable(inner_), "' is in no file");
    return true;
  }
  bool enter() {
    other();
    require<FileError>(++depth_ <= kMaxNesting, "its JSON is nested more than ", kMaxNesting, " deep");
    return true;
  }
  bool leave() { return --depth_, true; }

  ShardIndex& index_;
  std::string outer_, inner_;  // the last keys of the object itself and of the one in it
  int depth_ = 0;
  bool seen_ = false;
};

}  // namespace

bool is_shard_index(std::span<const std::byte> file) {
  std::string_view text = as_text(file);
  size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != text.npos && text[begin] == '{' && text.find("\"weight_map\"") != text.npos;
}

ShardIndex parse_shard_index(std::span<const std::byte> file) {
  std::string_view text = as_text(file);
  ShardIndex index;
  IndexReader reader(index);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  require<FileError>(reader.seen(), "it is no index of weights: it has no weight_map");
  return index;
}

}  // namespace espalier::io
