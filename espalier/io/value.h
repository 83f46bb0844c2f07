#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::io {

struct Node;

// A value of Python's as plain data: what a pickle holds, with nothing executed. It lives as long as the
// arena that made it.
struct Value {
  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    real,
    large,  // an integer over 64 bits: text() holds it in two's complement, little-endian
    text,   // in UTF-8
    bytes,  // in text()
    list,
    tuple,
    set,
    dict,     // items() are key, value, key, value, …
    global,   // a name of Python's, such as "torch.float32", in text()
    object,   // of the class text(); items() are what it was made of, state() is what it was given then
    storage,  // number index() of the file's storages
    tensor,   // number index() of the file's tensors
  };

  Kind kind = Kind::none;
  union {
    bool boolean;
    int64_t integer = 0;
    double real;
    Node* node;
  };

  static Value of(bool b) { return {.kind = Kind::boolean, .boolean = b}; }
  static Value of(int64_t i) { return {.kind = Kind::integer, .integer = i}; }
  static Value of(double r) { return {.kind = Kind::real, .real = r}; }

  bool is(Kind k) const { return kind == k; }
  bool is_node() const { return kind >= Kind::large; }
  // For kinds that have a node.
  const std::string& text() const;
  const std::vector<Value>& items() const;
  const Value& state() const;
  int64_t index() const;
};

struct Node {
  std::string text;
  std::vector<Value> items;
  Value state;
  int64_t index = -1;
};

inline const std::string& Value::text() const { return node->text; }
inline const std::vector<Value>& Value::items() const { return node->items; }
inline const Value& Value::state() const { return node->state; }
inline int64_t Value::index() const { return node->index; }

// A key of a dictionary as names show it: "fc.weight", "0", "<torch.float32>".
std::string key_text(const Value& key);
// Whether it is a key under which modules keep their parts, which names leave out: "_parameters", "_modules".
bool is_module_part(const Value& key);

// Owns nodes, and counts what they cost: going beyond what was granted is a FileError.
class ValueArena {
 public:
  void add_budget(size_t nodes, size_t copied) { nodes_left_ += nodes, copies_left_ += copied; }
  Value make(Value::Kind kind, std::string_view text = {});
  Value make_index(Value::Kind kind, size_t index);
  // Stands before each copy of `count` bytes or items from one node to another.
  void charge(size_t count);

 private:
  std::deque<Node> nodes_;
  size_t nodes_left_ = 0, copies_left_ = 0;
};

}  // namespace espalier::io
