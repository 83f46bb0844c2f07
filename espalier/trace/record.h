#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <espalier/core/array.h>

// What is known of a run, as plain data. Tables, data flow, prediction trace, cost and export are functions
// of it; none of them runs the model again.
namespace espalier::trace {

// The values of a tensor in a few numbers. Not finite values are counted and otherwise left out.
struct Stats {
  static constexpr int kBins = 32;

  double mean = 0, std = 0;  // std of the population
  double min = 0, max = 0;
  double zeros = 0;  // share of values that are exactly 0
  int64_t not_finite = 0;
  std::array<int64_t, kBins> histogram{};  // equal bins from min to max
};

Stats stats(const Array& values);

struct TensorInfo {
  int64_t producer = -1;  // the call that made it; -1 for what came from outside
  Shape shape;
  DType dtype = DType::float32;
  std::string order;  // in memory: "contiguous", "channels_last" or "strided"
  std::string name;   // of a parameter or buffer: "conv.weight"
  std::optional<Stats> stats = {};
  std::optional<Array> values = {};
};

// A module's forward, or an operation. Calls nest as they ran.
struct Call {
  int64_t parent = -1;  // the call it ran in
  bool module = false;
  std::string path;      // of the module, or of the module that ran the operation; "" is the outermost
  std::string kind;      // "Conv2d"; an operation's name, "conv2d"
  std::string settings;  // as printed: "3, 32, kernel_size=(3, 3)"; "stride=[1, 1]"
  std::vector<int64_t> inputs, outputs;  // tensors by number
  double flops = 0;                      // multiplications and additions; of a module those of its operations
  double start = 0, seconds = 0;         // of the forward, from the start of the record
  double backward_seconds = 0;
};

// Calls and tensors by number, in the order in which they began and were first seen.
struct Record {
  std::vector<Call> calls;
  std::vector<TensorInfo> tensors;

  // Calls made inside call `parent` (-1: the outermost), in order.
  std::vector<int64_t> children(int64_t parent) const;
  bool has_module_inside(int64_t call) const;
};

// The stages that data goes through: modules that hold no other module, and operations that stand directly in
// a module that does. Numbers of calls in order.
std::vector<int64_t> stages(const Record& record);

}  // namespace espalier::trace
