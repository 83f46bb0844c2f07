#include <espalier/trace/record_file.h>

#include <charconv>
#include <filesystem>
#include <limits>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

namespace espalier::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

std::string values_path(const std::string& path) {
  return std::filesystem::path(path).replace_extension(".safetensors").string();
}

Json json_of(const Stats& s) {
  return {{"mean", s.mean},
          {"std", s.std},
          {"min", s.min},
          {"max", s.max},
          {"zeros", s.zeros},
          {"not_finite", s.not_finite},
          {"histogram", s.histogram}};
}

Json json_of(const Call& c) {
  return {{"parent", c.parent},
          {"module", c.module},
          {"path", c.path},
          {"kind", c.kind},
          {"settings", c.settings},
          {"inputs", c.inputs},
          {"outputs", c.outputs},
          {"flops", c.flops},
          {"start", c.start},
          {"seconds", c.seconds},
          {"backward_seconds", c.backward_seconds}};
}

Json json_of(const TensorInfo& t) {
  Json json = {{"producer", t.producer},
               {"shape", t.shape.vec()},
               {"dtype", std::string(name(t.dtype))},
               {"order", t.order},
               {"name", t.name}};
  if (t.stats) json["stats"] = json_of(*t.stats);
  return json;
}

// Reads what to_json wrote and refuses what it can't have written.
class Reader {
 public:
  explicit Reader(const std::string& where) : where_(where) {}

  Record read(const Json& json) const {
    int64_t version = json.at("version");
    check(version == kVersion, "it is of version ", version, ", this program reads version ", kVersion);
    const Json &calls = json.at("calls"), &tensors = json.at("tensors");
    check(calls.is_array() && tensors.is_array(), "calls and tensors must be lists");
    auto call_count = static_cast<int64_t>(calls.size()), tensor_count = static_cast<int64_t>(tensors.size());
    Record record;
    for (const Json& c : calls)
      record.calls.push_back(call(c, static_cast<int64_t>(record.calls.size()), tensor_count));
    for (const Json& t : tensors) record.tensors.push_back(tensor(t, call_count));
    return record;
  }

 private:
  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require<FileError>(ok, where_, ": not a record: ", parts...);
  }

  std::vector<int64_t> numbers(const Json& list, int64_t count) const {
    auto out = list.get<std::vector<int64_t>>();
    for (int64_t n : out) check(n >= 0 && n < count, "there is no tensor ", n);
    return out;
  }

  Call call(const Json& j, int64_t number, int64_t tensors) const {
    int64_t parent = j.at("parent");
    check(parent >= -1 && parent < number, "call ", number, " stands in call ", parent);
    return {.parent = parent,
            .module = j.at("module"),
            .path = j.at("path"),
            .kind = j.at("kind"),
            .settings = j.at("settings"),
            .inputs = numbers(j.at("inputs"), tensors),
            .outputs = numbers(j.at("outputs"), tensors),
            .flops = j.at("flops"),
            .start = j.at("start"),
            .seconds = j.at("seconds"),
            .backward_seconds = j.at("backward_seconds")};
  }

  TensorInfo tensor(const Json& j, int64_t calls) const {
    TensorInfo t;
    t.producer = j.at("producer");
    check(t.producer >= -1 && t.producer < calls, "there is no call ", t.producer);
    t.shape = shape(j.at("shape"));
    t.dtype = dtype(j.at("dtype"));
    t.order = j.at("order"), t.name = j.at("name");
    if (j.contains("stats")) t.stats = stats(j["stats"]);
    return t;
  }

  Shape shape(const Json& j) const {
    auto sizes = j.get<std::vector<int64_t>>();
    check(sizes.size() <= size_t{kMaxRank}, "a tensor has ", sizes.size(), " dimensions");
    for (int64_t s : sizes) check(s >= 0, "a size is ", s);
    return Shape(sizes);
  }

  DType dtype(const std::string& text) const {
    for (DType d : {DType::float32, DType::float64, DType::bfloat16, DType::int64, DType::int32, DType::uint8,
                    DType::boolean}) {
      if (name(d) == text) return d;
    }
    throw FileError(concat(where_, ": not a record: there is no dtype ", printable(text)));
  }

  Stats stats(const Json& j) const {
    Stats s{.mean = j.at("mean"),
            .std = j.at("std"),
            .min = j.at("min"),
            .max = j.at("max"),
            .zeros = j.at("zeros"),
            .not_finite = j.at("not_finite")};
    auto histogram = j.at("histogram").get<std::vector<int64_t>>();
    check(histogram.size() == s.histogram.size(), "a histogram has ", histogram.size(), " bins");
    std::copy(histogram.begin(), histogram.end(), s.histogram.begin());
    return s;
  }

  const std::string& where_;
};

// The largest there is for what is not one.
size_t number_of(const std::string& text) {
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number
                                                                  : std::numeric_limits<size_t>::max();
}

void read_values(const std::string& path, Record& record) {
  io::SafetensorsFile file(path);
  for (const io::SafetensorsEntry& entry : file.entries()) {
    size_t number = number_of(entry.name);
    require<FileError>(number < record.tensors.size(), path, ": its record has no tensor `",
                       printable(entry.name), "`");
    TensorInfo& t = record.tensors[number];
    Array values = file.array(entry);
    require<FileError>(values.shape == t.shape && values.dtype == t.dtype, path, ": tensor ", number, " is ",
                       values.shape, ", its record says ", t.shape);
    t.values = std::move(values);
  }
}

std::string text_of(const Record& record) {
  Json calls = Json::array(), tensors = Json::array();
  for (const Call& c : record.calls) calls.push_back(json_of(c));
  for (const TensorInfo& t : record.tensors) tensors.push_back(json_of(t));
  return Json{{"version", kVersion}, {"calls", calls}, {"tensors", tensors}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

Record parse_record(const std::string& text, const std::string& where) {
  try {
    return Reader(where).read(Json::parse(text));
  } catch (const Json::exception& e) {
    throw FileError(concat(where, ": not a record: ", e.what()));
  }
}

}  // namespace

void write_record(const std::string& path, const Record& record) {
  std::vector<io::NamedArray> values;
  for (size_t i = 0; i < record.tensors.size(); ++i) {
    if (record.tensors[i].values) values.push_back({std::to_string(i), *record.tensors[i].values});
  }
  if (!values.empty()) io::write_safetensors(values_path(path), values);
  io::write_file(path, text_of(record) + "\n");
}

Record read_record(const std::string& path) {
  Record record = parse_record(io::read_file(path), path);
  if (std::filesystem::exists(values_path(path))) read_values(values_path(path), record);
  return record;
}

}  // namespace espalier::trace
