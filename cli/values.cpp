#include "values.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <espalier/core/text.h>

namespace espalier::cli {
namespace {

using io::Value;
using Json = nlohmann::ordered_json;
using Kind = Value::Kind;

constexpr size_t kLongestLine = 100;

bool is_list(const Value& v) { return v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::set); }
bool is_simple(const Value& v) {
  return !is_list(v) && !v.is(Kind::dict) && !v.is(Kind::object) && !v.is(Kind::tensor) &&
         !v.is(Kind::storage);
}

// Of two's complement, little-endian.
std::string large_number(const std::string& bytes) {
  std::string out = "0x";
  for (size_t i = bytes.size(); i-- > 0;) {
    constexpr char kDigits[] = "0123456789abcdef";
    auto byte = static_cast<unsigned char>(bytes[i]);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  return std::isinf(value) ? value < 0 ? "-inf" : "inf" : concat(value);
}

Json simple_json(const Value& v) {
  switch (v.kind) {
    case Kind::boolean: return v.boolean;
    case Kind::integer: return v.integer;
    case Kind::real: return std::isfinite(v.real) ? Json(v.real) : Json(real_text(v.real));
    case Kind::large: return large_number(v.text());
    case Kind::text:
    case Kind::global: return v.text();
    case Kind::bytes: return concat("<", v.text().size(), " bytes>");
    default: return nullptr;
  }
}

std::optional<Json> json_of(const Value& v);

// Nothing where all that a list or dictionary holds are tensors.
std::optional<Json> list_json(const std::vector<Value>& items) {
  Json out = Json::array();
  bool plain = items.empty();
  for (const Value& item : items) {
    auto value = json_of(item);
    plain = plain || value;
    out.push_back(value.value_or(nullptr));
  }
  return plain ? std::optional(out) : std::nullopt;
}

void add_entries(const Value& dict, Json& out) {
  for (size_t i = 0; i + 1 < dict.items().size(); i += 2) {
    if (auto value = json_of(dict.items()[i + 1])) out[io::key_text(dict.items()[i])] = std::move(*value);
  }
}

std::optional<Json> json_of(const Value& v) {
  if (is_simple(v)) return simple_json(v);
  if (is_list(v)) return list_json(v.items());
  if (v.is(Kind::dict)) {
    Json out = Json::object();
    add_entries(v, out);
    return out.empty() && !v.items().empty() ? std::nullopt : std::optional(out);
  }
  if (!v.is(Kind::object)) return {};
  Json out{{"class", v.text()}};
  if (auto args = list_json(v.items()); args && !v.items().empty()) out["arguments"] = std::move(*args);
  if (v.state().is(Kind::dict)) add_entries(v.state(), out);
  else if (auto state = json_of(v.state()); state && !state->is_null()) out["state"] = std::move(*state);
  return out;
}

std::string python_text(const Value& v) {
  switch (v.kind) {
    case Kind::none: return "None";
    case Kind::boolean: return v.boolean ? "True" : "False";
    case Kind::real: return real_text(v.real);
    case Kind::text: return concat("'", printable(v.text()), "'");
    case Kind::integer: return concat(v.integer);
    default: return printable(simple_json(v).get<std::string>());
  }
}

// A list of simple values in one line, cut where it is long.
std::string list_text(const Value& v) {
  bool round = v.is(Kind::tuple);
  std::string out = round ? "(" : "[";
  for (const Value& item : v.items()) {
    if (out.size() > 1) out += ", ";
    if (out.size() > kLongestLine) return concat(out, "… ", v.items().size(), " in all", round ? ")" : "]");
    out += python_text(item);
  }
  return out + (round ? v.items().size() == 1 ? ",)" : ")" : "]");
}

class Lines {
 public:
  std::vector<std::pair<std::string, std::string>> out;

  void visit(const Value& v, const std::string& name) {
    if (is_simple(v)) return add(name, python_text(v));
    if (is_list(v)) return visit_list(v, name);
    if (v.is(Kind::dict)) return v.items().empty() ? add(name, "{}") : visit_entries(v, name, false);
    if (!v.is(Kind::object)) return;
    add(name, concat("<", printable(v.text()), ">"));
    for (size_t i = 0; i < v.items().size(); ++i) visit(v.items()[i], concat(name, "(", i, ")"));
    if (v.state().is(Kind::dict)) visit_entries(v.state(), name, true);
    else if (!v.state().is(Kind::none)) visit(v.state(), name);
  }

 private:
  void add(const std::string& name, std::string value) {
    out.emplace_back(name.empty() ? "(all)" : printable(name), std::move(value));
  }

  void visit_list(const Value& v, const std::string& name) {
    if (std::ranges::all_of(v.items(), is_simple)) return add(name, list_text(v));
    for (size_t i = 0; i < v.items().size(); ++i) visit(v.items()[i], concat(name, "[", i, "]"));
  }

  void visit_entries(const Value& dict, const std::string& name, bool of_object) {
    for (size_t i = 0; i + 1 < dict.items().size(); i += 2) {
      const Value& key = dict.items()[i];
      std::string own = of_object && io::is_module_part(key) ? "" : io::key_text(key);
      std::string joined = own.empty() || name.empty() ? name + own : concat(name, ".", own);
      if (own.empty() && dict.items()[i + 1].is(Kind::dict))
        visit_entries(dict.items()[i + 1], joined, false);
      else visit(dict.items()[i + 1], joined);
    }
  }
};

}  // namespace

Json plain_values(const Value& root) { return json_of(root).value_or(nullptr); }

std::vector<std::pair<std::string, std::string>> value_lines(const Value& root) {
  Lines lines;
  lines.visit(root, "");
  return std::move(lines.out);
}

}  // namespace espalier::cli
