#include <espalier/trace/steps.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/file.h>

namespace espalier::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kVanishing = 1e-3, kExploding = 100;

// A number that JSON does not have is null there.
double real(const Json& json, const char* key) {
  return json.at(key).is_null() ? std::nan("") : json.at(key).get<double>();
}

Json json_of(const LayerStep& s) {
  return {{"name", s.name},
          {"elements", s.elements},
          {"gradient", s.gradient},
          {"weight", s.weight},
          {"update", s.update}};
}

LayerStep layer_from(const Json& j) {
  return {.name = j.at("name"),
          .elements = j.at("elements"),
          .gradient = real(j, "gradient"),
          .weight = real(j, "weight"),
          .update = real(j, "update")};
}

Step step_from(const Json& j) {
  Step s{.step = j.at("step"),
         .epoch = j.at("epoch"),
         .loss = real(j, "loss"),
         .accuracy = real(j, "accuracy"),
         .lr = real(j, "lr"),
         .seconds = real(j, "seconds")};
  if (!j.contains("layers")) return s;
  for (const Json& layer : j.at("layers")) s.layers.push_back(layer_from(layer));
  for (const Json& u : j.at("units")) s.units.push_back({u.at("name"), u.at("units"), u.at("dead")});
  return s;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Sizes of a gradient's element in one module over the training.
std::vector<double> sizes_of(const Steps& steps, const std::string& name) {
  std::vector<double> out;
  for (const Step& s : steps) {
    for (const LayerStep& l : s.layers) {
      if (l.name == name && l.elements > 0)
        out.push_back(l.gradient / std::sqrt(static_cast<double>(l.elements)));
    }
  }
  return out;
}

GradientState state_of(const std::string& name, const std::vector<double>& sizes) {
  GradientState s{.name = name};
  if (sizes.empty()) return s;
  if (!std::ranges::all_of(sizes, [](double x) { return std::isfinite(x); })) {
    s.kind = GradientState::not_finite;
    return s;
  }
  auto quarter = static_cast<std::ptrdiff_t>((sizes.size() + 3) / 4);
  double first = median({sizes.begin(), sizes.begin() + quarter});
  s.size = median({sizes.end() - quarter, sizes.end()});
  if (first > 0 && s.size >= kExploding * first) {
    s.kind = GradientState::exploding;
    s.ratio = s.size / first;
  }
  return s;
}

}  // namespace

std::string to_json(const Step& s) {
  Json json = {{"step", s.step},         {"epoch", s.epoch}, {"loss", s.loss},
               {"accuracy", s.accuracy}, {"lr", s.lr},       {"seconds", s.seconds}};
  if (!s.layers.empty() || !s.units.empty()) {
    Json layers = Json::array(), units = Json::array();
    for (const LayerStep& l : s.layers) layers.push_back(json_of(l));
    for (const UnitsStep& u : s.units)
      units.push_back({{"name", u.name}, {"units", u.units}, {"dead", u.dead}});
    json["layers"] = std::move(layers);
    json["units"] = std::move(units);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Step step_from_json(const std::string& line, const std::string& where) {
  try {
    return step_from(Json::parse(line));
  } catch (const Json::exception& e) {
    throw FileError(concat(where, ": not a moment of a training: ", e.what()));
  }
}

size_t read_steps(const std::string& path, size_t from, Steps& to) {
  std::string text = io::read_lines(path, from);
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    to.push_back(step_from_json(text.substr(begin, end - begin), concat(path, ", line ", to.size() + 1)));
  }
  return from + begin;
}

Steps read_steps(const std::string& path) {
  Steps out;
  read_steps(path, 0, out);
  return out;
}

std::vector<GradientState> gradient_states(const Steps& steps) {
  std::vector<GradientState> out;
  auto seen = std::ranges::find_if(steps, [](const Step& s) { return !s.layers.empty(); });
  if (seen == steps.end()) return out;
  for (const LayerStep& l : seen->layers) out.push_back(state_of(l.name, sizes_of(steps, l.name)));
  double largest = 0;
  for (const GradientState& s : out) largest = std::max(largest, s.size);
  for (GradientState& s : out) {
    if (s.kind != GradientState::sound || largest == 0) continue;
    s.ratio = s.size / largest;
    if (s.ratio <= kVanishing) s.kind = GradientState::vanishing;
  }
  return out;
}

}  // namespace espalier::trace
