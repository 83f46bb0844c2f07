#include <espalier/trace/structure_file.h>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/core/text.h>
#include <espalier/io/file.h>

namespace espalier::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 200;  // modules in modules

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

}  // namespace

void write_structure(const std::string& path, const Structure& structure) {
  // Bytes that are not UTF-8 are replaced, as names may be anything.
  io::write_file(path, json_of(structure).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Structure read_structure(const std::string& path) {
  try {
    return structure_from(Json::parse(io::read_file(path)), 0);
  } catch (const Json::exception& e) {
    throw FileError(concat(path, ": ", e.what()));
  } catch (const Error& e) {
    throw FileError(concat(path, ": ", e.what()));
  }
}

}  // namespace espalier::trace
