#include <espalier/io/value.h>

#include <espalier/core/error.h>

namespace espalier::io {

std::string key_text(const Value& key) {
  using Kind = Value::Kind;
  switch (key.kind) {
    case Kind::text: return key.text();
    case Kind::global:
    case Kind::object: return concat("<", key.text(), ">");
    case Kind::integer: return concat(key.integer);
    case Kind::boolean: return key.boolean ? "True" : "False";
    case Kind::real: return concat(key.real);
    default: return "?";
  }
}

bool is_module_part(const Value& key) {
  if (!key.is(Value::Kind::text)) return false;
  const std::string& name = key.text();
  return name == "_parameters" || name == "_buffers" || name == "_modules";
}

Value ValueArena::make(Value::Kind kind, std::string_view text) {
  require<FileError>(nodes_left_ > 0, "its pickle holds more values than its size allows");
  --nodes_left_;
  Value v{.kind = kind, .node = &nodes_.emplace_back()};
  v.node->text = text;
  return v;
}

Value ValueArena::make_index(Value::Kind kind, size_t index) {
  Value v = make(kind);
  v.node->index = static_cast<int64_t>(index);
  return v;
}

void ValueArena::charge(size_t count) {
  require<FileError>(count <= copies_left_, "its pickle grows beyond what its size allows");
  copies_left_ -= count;
}

}  // namespace espalier::io
