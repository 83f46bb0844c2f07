#include <espalier/trace/json.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/core/text.h>

namespace espalier::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 200;  // modules in modules

// Bytes that are not UTF-8 are replaced, as names may be anything.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// A number that JSON does not have is null there.
double real(const Json& json) { return json.is_null() ? std::nan("") : json.get<double>(); }

DType dtype_from(const std::string& text) {
  for (auto d : {float32, float64, bfloat16, int64, int32, uint8, boolean}) {
    if (name(d) == text) return d;
  }
  throw FileError(concat("`", printable(text), "` is not an element type"));
}

Shape shape_from(const Json& json) {
  auto dims = json.get<std::vector<int64_t>>();
  require<FileError>(dims.size() <= kMaxRank, "a shape of ", dims.size(), " dimensions");
  for (int64_t d : dims) require<FileError>(d >= 0, "a shape with the size ", d);
  Shape shape(dims);
  shape.numel();
  return shape;
}

// ---- a record

Json json_of(const Stats& s) {
  return {{"mean", s.mean},
          {"std", s.std},
          {"min", s.min},
          {"max", s.max},
          {"zeros", s.zeros},
          {"not_finite", s.not_finite},
          {"histogram", s.histogram}};
}

Stats stats_from(const Json& j) {
  return {.mean = real(j.at("mean")),
          .std = real(j.at("std")),
          .min = real(j.at("min")),
          .max = real(j.at("max")),
          .zeros = real(j.at("zeros")),
          .not_finite = j.at("not_finite"),
          .histogram = j.at("histogram")};
}

Json json_of(const TensorInfo& t) {
  Json j{{"producer", t.producer}, {"shape", t.shape.vec()}, {"dtype", name(t.dtype)}, {"order", t.order}};
  if (!t.name.empty()) j["name"] = t.name;
  if (t.stats) j["stats"] = json_of(*t.stats);
  return j;
}

TensorInfo tensor_from(const Json& j) {
  TensorInfo t{.producer = j.at("producer"),
               .shape = shape_from(j.at("shape")),
               .dtype = dtype_from(j.at("dtype")),
               .order = j.at("order"),
               .name = j.value("name", "")};
  if (j.contains("stats")) t.stats = stats_from(j.at("stats"));
  return t;
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

Call call_from(const Json& j) {
  return {.parent = j.at("parent"),
          .module = j.at("module"),
          .path = j.at("path"),
          .kind = j.at("kind"),
          .settings = j.at("settings"),
          .inputs = j.at("inputs"),
          .outputs = j.at("outputs"),
          .flops = real(j.at("flops")),
          .start = real(j.at("start")),
          .seconds = real(j.at("seconds")),
          .backward_seconds = real(j.at("backward_seconds"))};
}

// Numbers of calls and tensors lead to ones that there are; a call stands in one before it.
void check(const Record& r) {
  auto tensors = static_cast<int64_t>(r.tensors.size()), calls = static_cast<int64_t>(r.calls.size());
  for (int64_t i = 0; i < calls; ++i) {
    const Call& c = r.calls[i];
    require<FileError>(c.parent >= -1 && c.parent < i, "call ", i, " stands in call ", c.parent);
    for (auto* list : {&c.inputs, &c.outputs}) {
      for (int64_t t : *list)
        require<FileError>(t >= 0 && t < tensors, "call ", i, " has tensor ", t, " of ", tensors);
    }
  }
  for (const TensorInfo& t : r.tensors) {
    require<FileError>(t.producer >= -1 && t.producer < calls, "a tensor of call ", t.producer, " of ",
                       calls);
  }
}

// ---- a structure

Json json_of(const Structure& s) {
  Json parameters = Json::array(), children = Json::array();
  for (const ParameterInfo& p : s.parameters) {
    parameters.push_back(
        {{"name", p.name}, {"shape", p.shape.vec()}, {"dtype", name(p.dtype)}, {"trainable", p.trainable}});
    if (!p.same_as.empty()) parameters.back()["same_as"] = p.same_as;
  }
  for (const Structure& child : s.children) children.push_back(json_of(child));
  return {{"path", s.path},         {"name", s.name},           {"kind", s.kind},
          {"settings", s.settings}, {"parameters", parameters}, {"children", children}};
}

Structure structure_from(const Json& j, int depth) {
  require<FileError>(depth < kDeepest, "modules stand more than ", kDeepest, " deep in each other");
  Structure s{.path = j.at("path"), .name = j.at("name"), .kind = j.at("kind"), .settings = j.at("settings")};
  for (const Json& p : j.at("parameters")) {
    s.parameters.push_back({p.at("name"), shape_from(p.at("shape")), dtype_from(p.at("dtype")),
                            p.at("trainable"), p.value("same_as", "")});
  }
  for (const Json& child : j.at("children")) s.children.push_back(structure_from(child, depth + 1));
  return s;
}

// What `read` makes of the text; every fault is a FileError that begins with `where`.
template <class Read>
auto parse(const std::string& text, const std::string& where, Read read) {
  try {
    return read(Json::parse(text));
  } catch (const Json::exception& e) {
    throw FileError(concat(where, ": ", e.what()));
  } catch (Error& e) {
    throw FileError(concat(where, ": ", e.what()));
  }
}

}  // namespace

std::string to_json(const Record& record) {
  Json calls = Json::array(), tensors = Json::array();
  for (const Call& c : record.calls) calls.push_back(json_of(c));
  for (const TensorInfo& t : record.tensors) tensors.push_back(json_of(t));
  return dump({{"calls", calls}, {"tensors", tensors}});
}

Record record_from_json(const std::string& text, const std::string& where) {
  return parse(text, where, [](const Json& j) {
    Record r;
    for (const Json& c : j.at("calls")) r.calls.push_back(call_from(c));
    for (const Json& t : j.at("tensors")) r.tensors.push_back(tensor_from(t));
    check(r);
    return r;
  });
}

std::string to_json(const Structure& structure) { return dump(json_of(structure)); }

Structure structure_from_json(const std::string& text, const std::string& where) {
  return parse(text, where, [](const Json& j) { return structure_from(j, 0); });
}

}  // namespace espalier::trace
