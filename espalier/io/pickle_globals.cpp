#include <algorithm>

#include <espalier/io/pickle.h>

namespace espalier::io {
namespace {

using Kind = Value::Kind;
using Make = Value(ValueArena& arena, const std::vector<Value>& args);

bool holds_items(const Value& v) {
  return v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::set) || v.is(Kind::dict);
}

Value container(ValueArena& arena, Kind kind, const std::vector<Value>& args) {
  require<FileError>(args.empty() || (args.size() == 1 && holds_items(args[0]) && !args[0].is(Kind::dict)),
                     "its pickle makes a container of what is none");
  Value v = arena.make(kind);
  if (args.empty()) return v;
  arena.charge(args[0].items().size() * sizeof(Value));
  v.node->items = args[0].items();
  return v;
}

Value list(ValueArena& arena, const std::vector<Value>& args) { return container(arena, Kind::list, args); }
Value tuple(ValueArena& arena, const std::vector<Value>& args) { return container(arena, Kind::tuple, args); }
Value set(ValueArena& arena, const std::vector<Value>& args) { return container(arena, Kind::set, args); }

// Of nothing, of a dict, or of a list of pairs.
Value dict(ValueArena& arena, const std::vector<Value>& args) {
  Value v = arena.make(Kind::dict);
  if (args.empty()) return v;
  require<FileError>(args.size() == 1 && holds_items(args[0]),
                     "its pickle makes a dictionary of what is none");
  arena.charge(args[0].items().size() * sizeof(Value));
  if (args[0].is(Kind::dict)) return v.node->items = args[0].items(), v;
  for (const Value& pair : args[0].items()) {
    require<FileError>((pair.is(Kind::list) || pair.is(Kind::tuple)) && pair.items().size() == 2,
                       "its pickle makes a dictionary of what is none");
    v.node->items.insert(v.node->items.end(), pair.items().begin(), pair.items().end());
  }
  return v;
}

// (what makes missing values, …as for dict)
Value default_dict(ValueArena& arena, const std::vector<Value>& args) {
  return dict(arena, args.empty() ? args : std::vector(args.begin() + 1, args.end()));
}

// Text written as a character for each byte: ("…", "latin1"). Protocol 2 has no bytes of its own.
Value encode(ValueArena& arena, const std::vector<Value>& args) {
  require<FileError>(!args.empty() && args[0].is(Kind::text), "its pickle makes bytes of what is no text");
  const std::string& text = args[0].text();
  arena.charge(text.size());
  Value v = arena.make(Kind::bytes);
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      require<FileError>((c & 0xfe) == 0xc2 && i + 1 < text.size(),
                         "its pickle makes bytes of other text than Latin-1");
      c = static_cast<unsigned char>((c & 3) << 6 | (text[++i] & 0x3f));
    }
    v.node->text.push_back(static_cast<char>(c));
  }
  return v;
}

Value bytes(ValueArena& arena, const std::vector<Value>& args) {
  if (args.empty()) return arena.make(Kind::bytes);
  if (args[0].is(Kind::text)) return encode(arena, args);
  require<FileError>(args.size() == 1 && args[0].is(Kind::bytes), "its pickle makes bytes of what is none");
  return args[0];
}

Value complex(ValueArena& arena, const std::vector<Value>& args) {
  Value v = arena.make(Kind::object, "complex");
  v.node->items = args;
  return v;
}

// How protocols 0 and 1 make an object: (class, its base, the base's value).
Value reconstruct(ValueArena& arena, const std::vector<Value>& args) {
  require<FileError>(args.size() == 3 && args[0].is(Kind::global), "its pickle makes an object of no class");
  arena.charge(args[0].text().size());
  return arena.make(Kind::object, args[0].text());
}

struct Global {
  std::string_view name;
  Make* make;  // null for what is a mere name
};

constexpr Global kGlobals[] = {
    {"collections.OrderedDict", dict},
    {"collections.Counter", dict},
    {"collections.defaultdict", default_dict},
    {"builtins.dict", dict},
    {"builtins.list", list},
    {"builtins.tuple", tuple},
    {"builtins.set", set},
    {"builtins.frozenset", set},
    {"builtins.bytearray", bytes},
    {"builtins.bytes", bytes},
    {"builtins.complex", complex},
    {"builtins.object", nullptr},
    {"builtins.int", nullptr},
    {"builtins.float", nullptr},
    {"builtins.str", nullptr},
    {"builtins.bool", nullptr},
    {"_codecs.encode", encode},
    {"copyreg._reconstructor", reconstruct},
};

// Python 2 had other names for two modules.
std::string present_name(std::string_view global) {
  if (global.starts_with("__builtin__.")) return concat("builtins", global.substr(11));
  if (global.starts_with("copy_reg.")) return concat("copyreg", global.substr(8));
  return std::string(global);
}

const Global* find(std::string_view global) {
  auto found = std::ranges::find(kGlobals, present_name(global), &Global::name);
  return found == std::end(kGlobals) ? nullptr : found;
}

}  // namespace

bool knows_python_global(std::string_view global) { return find(global); }

std::optional<Value> call_python_global(ValueArena& arena, const std::string& global, const Value& args) {
  const Global* known = find(global);
  if (!known || !known->make) return {};
  return known->make(arena, args.items());
}

Value PlainRules::persistent(ValueArena&, const Value&) {
  throw FileError("its pickle points to objects outside of it");
}

}  // namespace espalier::io
