#pragma once

#include <optional>

#include <espalier/io/byte_reader.h>
#include <espalier/io/value.h>

// Pickles read as plain data. Nothing is imported, called or made; a name that is not on a list is a
// FileError.
namespace espalier::io {

// What a pickle may hold beside Python's own containers.
class PickleRules {
 public:
  virtual ~PickleRules() = default;
  // Whether the name may stand in the pickle, as a value or as the class of an object.
  virtual bool knows(std::string_view global) const = 0;
  // What stands for the result of calling a known name with `args`, a tuple; nothing where it can't be
  // called.
  virtual std::optional<Value> call(ValueArena& arena, const std::string& global, const Value& args) = 0;
  // What stands for an object kept outside the pickle. In protocol 0 its id is a text.
  virtual Value persistent(ValueArena& arena, const Value& id) = 0;
  // Whether names that are not known may be classes of modules: objects of nothing that are given their
  // _parameters and _modules, as PyTorch keeps them. found_module is told each.
  virtual bool takes_modules() const { return false; }
  virtual void found_module(const std::string&) {}
};

// Plain data alone.
class PlainRules : public PickleRules {
 public:
  bool knows(std::string_view) const override { return false; }
  std::optional<Value> call(ValueArena&, const std::string&, const Value&) override { return {}; }
  Value persistent(ValueArena&, const Value&) override;
};

// Reads one pickle of protocol 0 to 5, up to and with its last instruction. The result is a tree that can be
// walked: it has no cycles, is at most kMaxDepth deep and, though its parts may be shared, not much larger
// than the pickle.
inline constexpr int kMaxDepth = 1000;
Value read_pickle(ByteReader& from, ValueArena& arena, PickleRules& rules);

// Python's own containers, which every pickle may name and make.
bool knows_python_global(std::string_view global);
std::optional<Value> call_python_global(ValueArena& arena, const std::string& global, const Value& args);

}  // namespace espalier::io
