#include <espalier/io/pickle.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <unordered_map>

namespace espalier::io {
namespace {

using Kind = Value::Kind;

constexpr size_t kMaxGlobal = 1000;

void append_utf8(std::string& out, uint32_t c) {
  auto byte = [&](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f));
  if (c < 0x10000) byte(0xe0 | c >> 12);
  else byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f));
  byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
}

template <class T>
T parse(std::string_view text, int base = 10) {
  T value{};
  std::from_chars_result r;
  if constexpr (std::is_floating_point_v<T>)
    r = std::from_chars(text.data(), text.data() + text.size(), value);
  else r = std::from_chars(text.data(), text.data() + text.size(), value, base);
  require<FileError>(r.ec == std::errc() && r.ptr == text.data() + text.size(), "its pickle holds '",
                     printable(text), "' for a number");
  return value;
}

// The text of a line of protocol 0, in which some characters stand as \uXXXX, \UXXXXXXXX or (of bytes) \xXX.
std::string unescape(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    char kind = line[i] == '\\' && i + 1 < line.size() ? line[i + 1] : 0;
    size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : kind == 'x' ? 2 : 0;
    if (digits == 0) {
      out.push_back(line[i]);
      continue;
    }
    append_utf8(out, parse<uint32_t>(line.substr(i + 2, digits), 16) & 0x1fffff);
    i += 1 + digits;
  }
  return out;
}

std::string unquote(std::string_view line) {
  bool quoted = line.size() >= 2 && (line[0] == '\'' || line[0] == '"') && line.back() == line[0];
  require<FileError>(quoted, "its pickle holds a text without quotes");
  return unescape(line.substr(1, line.size() - 2));
}

// Whether a number of two's complement that ends with this byte is negative; char has a sign on some
// processors only.
bool is_negative(char byte) { return static_cast<signed char>(byte) < 0; }

// One pass over the instructions. Work and memory are linear in their length: each pushes, moves or drops
// what was there before, and copies are charged to the arena.
class Machine {
 public:
  Machine(ByteReader& from, ValueArena& arena, PickleRules& rules)
      : in_(from), arena_(arena), rules_(rules) {}

  Value run() {
    arena_.add_budget(in_.left() / 2 + 64, 16 * in_.left() + 65536);
    while (true) {
      auto code = in_.number<uint8_t>();
      if (code == '.') break;
      step(code);
    }
    Value result = pop();
    for (const auto& [name, is_module] : strangers_) {
      if (!is_module) refuse(name);
      rules_.found_module(name);
    }
    require<FileError>(stack_.empty() && marks_.empty(), "its pickle ends with values left over");
    return result;
  }

 private:
  void step(uint8_t code) {
    if (step_container(code) || step_number(code) || step_text(code) || step_memo(code) || step_object(code))
      return;
    if (code == 0x80) {
      auto protocol = in_.number<uint8_t>();
      require<FileError>(protocol <= 5, "its pickle is of protocol ", protocol,
                         ", which is not known; save it anew with a lower one");
    } else if (code == 0x95) {
      auto bytes = in_.number<uint64_t>();
      require<FileError>(bytes <= in_.left(), "it is cut off: a frame of its pickle reaches behind its end");
    } else {
      throw FileError(concat("its pickle holds the instruction ", static_cast<int>(code), " at byte ",
                             in_.at() - 1, ", which has no place in a file of weights"));
    }
  }

  bool step_container(uint8_t code) {
    switch (code) {
      case '(': marks_.push_back(stack_.size()); return true;
      case '0': drop(); return true;
      case '1': pop_mark(); return true;
      case '2': push(top()); return true;
      case ')': push(empty_tuple()); return true;
      case ']': push(arena_.make(Kind::list)); return true;
      case '}': push(arena_.make(Kind::dict)); return true;
      case 0x8f: push(arena_.make(Kind::set)); return true;
      case 't': push_items(Kind::tuple, pop_mark()); return true;
      case 'l': push_items(Kind::list, pop_mark()); return true;
      case 0x91: push_items(Kind::set, pop_mark()); return true;
      case 'd': push_items(Kind::dict, {}), add(Kind::dict, pop_below()); return true;
      case 0x85: push_items(Kind::tuple, pop_last(1)); return true;
      case 0x86: push_items(Kind::tuple, pop_last(2)); return true;
      case 0x87: push_items(Kind::tuple, pop_last(3)); return true;
      case 'a': add(Kind::list, pop_last(1)); return true;
      case 'e': add(Kind::list, pop_mark()); return true;
      case 's': add(Kind::dict, pop_last(2)); return true;
      case 'u': add(Kind::dict, pop_mark()); return true;
      case 0x90: add(Kind::set, pop_mark()); return true;
      default: return false;
    }
  }

  bool step_number(uint8_t code) {
    switch (code) {
      case 'N': push({}); return true;
      case 0x88: push(Value::of(true)); return true;
      case 0x89: push(Value::of(false)); return true;
      case 'J': push(Value::of(int64_t{in_.number<int32_t>()})); return true;
      case 'K': push(Value::of(int64_t{in_.number<uint8_t>()})); return true;
      case 'M': push(Value::of(int64_t{in_.number<uint16_t>()})); return true;
      case 0x8a: push(long_of(in_.text(in_.number<uint8_t>()))); return true;
      case 0x8b: push(long_of(in_.text(in_.number<uint32_t>()))); return true;
      case 'I': push(int_of(in_.line())); return true;
      case 'L': push(long_of_digits(in_.line())); return true;
      case 'F': push(Value::of(parse<double>(in_.line()))); return true;
      case 'G':
        push(Value::of(std::bit_cast<double>(__builtin_bswap64(in_.number<uint64_t>()))));
        return true;
      default: return false;
    }
  }

  bool step_text(uint8_t code) {
    switch (code) {
      case 'S': push(arena_.make(Kind::text, unquote(in_.line()))); return true;
      case 'V': push(arena_.make(Kind::text, unescape(in_.line()))); return true;
      case 'T':
      case 'X': push_text(Kind::text, in_.number<uint32_t>()); return true;
      case 'U':
      case 0x8c: push_text(Kind::text, in_.number<uint8_t>()); return true;
      case 0x8d: push_text(Kind::text, in_.number<uint64_t>()); return true;
      case 'B': push_text(Kind::bytes, in_.number<uint32_t>()); return true;
      case 'C': push_text(Kind::bytes, in_.number<uint8_t>()); return true;
      case 0x8e:
      case 0x96: push_text(Kind::bytes, in_.number<uint64_t>()); return true;
      default: return false;
    }
  }

  bool step_memo(uint8_t code) {
    switch (code) {
      case 'p': memo_[parse<uint64_t>(in_.line())] = top(); return true;
      case 'q': memo_[in_.number<uint8_t>()] = top(); return true;
      case 'r': memo_[in_.number<uint32_t>()] = top(); return true;
      case 0x94: memo_[memo_.size()] = top(); return true;
      case 'g': recall(parse<uint64_t>(in_.line())); return true;
      case 'h': recall(in_.number<uint8_t>()); return true;
      case 'j': recall(in_.number<uint32_t>()); return true;
      default: return false;
    }
  }

  bool step_object(uint8_t code) {
    switch (code) {
      case 'c': {
        std::string_view module = in_.line();
        push_global(module, in_.line());
        return true;
      }
      case 0x93: {
        auto names = pop_last(2);
        require<FileError>(names[0].is(Kind::text) && names[1].is(Kind::text),
                           "its pickle names something by what is no text");
        push_global(names[0].text(), names[1].text());
        return true;
      }
      case 'R': {
        auto parts = pop_last(2);
        push(call(parts[0], parts[1]));
        return true;
      }
      case 0x81: make_object(pop_last(2)); return true;
      case 0x92: make_object(pop_last(3)); return true;
      case 'i': {
        std::string_view module = in_.line();
        push_global(module, in_.line());
        Value cls = pop();
        push_items(Kind::tuple, pop_mark());
        make_object({cls, pop()});
        return true;
      }
      case 'o': {
        auto parts = pop_mark();
        require<FileError>(!parts.empty(), "its pickle makes an object of no class");
        push_items(Kind::tuple, {parts.begin() + 1, parts.end()});
        make_object({parts[0], pop()});
        return true;
      }
      case 'b': build(pop()); return true;
      case 'P': push(rules_.persistent(arena_, arena_.make(Kind::text, in_.line()))); return true;
      case 'Q': push(rules_.persistent(arena_, pop())); return true;
      default: return false;
    }
  }

  void push(const Value& v) { stack_.push_back(v); }
  void push_text(Kind kind, uint64_t bytes) { push(arena_.make(kind, in_.text(bytes))); }
  void push_items(Kind kind, std::vector<Value> items) {
    Value v = arena_.make(kind);
    v.node->items = std::move(items);
    push(v);
  }

  Value empty_tuple() {
    if (!empty_tuple_.node) empty_tuple_ = arena_.make(Kind::tuple);
    return empty_tuple_;
  }

  // What lies above the last mark.
  size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  std::vector<Value> pop_last(size_t count) {
    require<FileError>(available() >= count, "its pickle takes more values than there are, at byte ",
                       in_.at());
    auto first = stack_.end() - static_cast<ptrdiff_t>(count);
    std::vector<Value> out(first, stack_.end());
    stack_.erase(first, stack_.end());
    return out;
  }
  const Value& top() const {
    require<FileError>(available() > 0, "its pickle takes more values than there are, at byte ", in_.at());
    return stack_.back();
  }
  Value pop() {
    Value v = top();
    stack_.pop_back();
    return v;
  }
  void drop() {
    if (available() == 0 && !marks_.empty()) marks_.pop_back();
    else pop();
  }
  std::vector<Value> pop_mark() {
    require<FileError>(!marks_.empty(), "its pickle takes a mark that is not there, at byte ", in_.at());
    auto out = pop_last(available());
    marks_.pop_back();
    return out;
  }
  // The values between the last mark and the one on top, which stays.
  std::vector<Value> pop_below() {
    Value kept = pop();
    auto out = pop_mark();
    push(kept);
    return out;
  }

  void add(Kind kind, const std::vector<Value>& items) {
    const Value& target = top();
    require<FileError>(target.is(kind), "its pickle adds items to what is no container for them, at byte ",
                       in_.at());
    require<FileError>(kind != Kind::dict || items.size() % 2 == 0, "its pickle holds a key without value");
    auto& own = target.node->items;
    own.insert(own.end(), items.begin(), items.end());
  }

  void recall(uint64_t place) {
    auto found = memo_.find(place);
    require<FileError>(found != memo_.end(), "its pickle recalls the value ", place,
                       ", which was never kept");
    push(found->second);
  }

  static Value int_of(std::string_view line) {
    if (line == "00" || line == "01") return Value::of(line == "01");
    return Value::of(parse<int64_t>(line));
  }

  // In two's complement, little-endian.
  Value long_of(std::string_view bytes) {
    if (bytes.size() > sizeof(int64_t)) return arena_.make(Kind::large, bytes);
    int64_t value = !bytes.empty() && is_negative(bytes.back()) ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return Value::of(value);
  }

  Value long_of_digits(std::string_view line) {
    if (line.ends_with('L')) line.remove_suffix(1);
    if (line.size() <= 18) return Value::of(parse<int64_t>(line));
    bool negative = line[0] == '-';
    line.remove_prefix(negative);
    require<FileError>(line.size() <= 38, "its pickle holds a number of ", line.size(), " digits");
    __int128 value = 0;
    for (char c : line) {
      require<FileError>(c >= '0' && c <= '9', "its pickle holds '", printable(line), "' for a number");
      value = value * 10 + (c - '0');
    }
    if (negative) value = -value;
    std::string bytes(reinterpret_cast<const char*>(&value), sizeof value);
    auto spare = [&] {
      return bytes.back() == (negative ? '\xff' : '\0') && is_negative(bytes[bytes.size() - 2]) == negative;
    };
    while (bytes.size() > 1 && spare()) bytes.pop_back();
    return long_of(bytes);
  }

  void push_global(std::string_view module, std::string_view name) {
    require<FileError>(module.size() + name.size() <= kMaxGlobal, "its pickle holds a name of ",
                       module.size() + name.size(), " characters");
    std::string global = concat(module, ".", name);
    if (!knows_python_global(global) && !rules_.knows(global)) {
      if (!rules_.takes_modules() || module.ends_with("builtins") || module.ends_with("builtin__"))
        refuse(global);
      strangers_.try_emplace(global, false);
    }
    push(arena_.make(Kind::global, global));
  }

  [[noreturn]] static void refuse(const std::string& global) {
    throw FileError(
        concat("its pickle names ", printable(global),
               ", which is no plain data; nothing was executed; don't open it elsewhere unless you "
               "trust where it is from"));
  }

  Value call(const Value& callee, const Value& args) {
    require<FileError>(callee.is(Kind::global) && args.is(Kind::tuple),
                       "its pickle calls what can't be called, at byte ", in_.at());
    if (strangers_.contains(callee.text())) refuse(callee.text());
    auto result = call_python_global(arena_, callee.text(), args);
    if (!result) result = rules_.call(arena_, callee.text(), args);
    require<FileError>(result.has_value(), "its pickle calls ", printable(callee.text()),
                       ", which makes no plain data; nothing was executed");
    return *result;
  }

  // (class, positional arguments[, named ones])
  void make_object(const std::vector<Value>& parts) {
    require<FileError>(parts[0].is(Kind::global) && parts[1].is(Kind::tuple),
                       "its pickle makes an object of no class, at byte ", in_.at());
    const std::string& cls = parts[0].text();
    if (knows_python_global(cls)) return push(call(parts[0], parts[1]));
    if (strangers_.contains(cls) && (parts.size() > 2 || !parts[1].items().empty())) refuse(cls);
    arena_.charge(cls.size() + parts[1].items().size() * sizeof(Value));
    Value v = arena_.make(Kind::object, cls);
    v.node->items = parts[1].items();
    push(v);
  }

  void build(const Value& state) {
    const Value& target = top();
    bool takes_state = target.is(Kind::object) || target.is(Kind::dict) || target.is(Kind::tensor);
    require<FileError>(takes_state, "its pickle gives a state to what has none, at byte ", in_.at());
    target.node->state = state;
    auto stranger = target.is(Kind::object) ? strangers_.find(target.text()) : strangers_.end();
    if (stranger == strangers_.end() || stranger->second || !state.is(Kind::dict)) return;
    arena_.charge(state.items().size());
    stranger->second = is_state_of_module(state);
  }

  static bool is_state_of_module(const Value& state) {
    bool parameters = false, modules = false;
    for (size_t i = 0; i + 1 < state.items().size(); i += 2) {
      const Value& key = state.items()[i];
      parameters = parameters || (key.is(Kind::text) && key.text() == "_parameters");
      modules = modules || (key.is(Kind::text) && key.text() == "_modules");
    }
    return parameters && modules;
  }

  ByteReader& in_;
  ValueArena& arena_;
  PickleRules& rules_;
  std::vector<Value> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Value> memo_;
  std::map<std::string, bool>
      strangers_;  // names that are not known, and whether they proved classes of modules
  Value empty_tuple_{.kind = Kind::tuple, .node = nullptr};
};

// Measures a tree: each part once, though it counts as often as it is met.
class TreeCheck {
 public:
  explicit TreeCheck(size_t limit) : limit_(limit) {}

  void check(const Value& root) { measure(root, 0); }

 private:
  struct Size {
    size_t values = 1, text = 0;  // text in bytes
    int height = 0;
  };

  Size measure(const Value& v, int depth) {
    if (!v.is_node()) return {};
    require<FileError>(depth < kMaxDepth, "its values are nested more than ", kMaxDepth, " deep");
    auto [place, is_new] = sizes_.try_emplace(v.node, Size{0, 0, 0});
    if (!is_new) {
      require<FileError>(place->second.values > 0, "a value in it holds itself");
      return place->second;
    }
    Size size{1, v.text().size(), 0};
    add(size, measure(v.state(), depth + 1));
    for (const Value& item : v.items()) add(size, measure(item, depth + 1));
    return sizes_[v.node] = size;
  }

  void add(Size& whole, const Size& part) const {
    whole.values += part.values;
    whole.text += part.text;
    whole.height = std::max(whole.height, part.height + 1);
    require<FileError>(whole.values <= limit_ && whole.text <= limit_,
                       "its values are shared so often that they make more than ", limit_);
    require<FileError>(whole.height <= kMaxDepth, "its values are nested more than ", kMaxDepth, " deep");
  }

  size_t limit_;
  std::unordered_map<const Node*, Size> sizes_;
};

}  // namespace

Value read_pickle(ByteReader& from, ValueArena& arena, PickleRules& rules) {
  size_t begin = from.at();
  Value result = Machine(from, arena, rules).run();
  TreeCheck(16 * (from.at() - begin) + 65536).check(result);
  return result;
}

}  // namespace espalier::io
