#include <espalier/trace/summary.h>

#include <map>
#include <vector>

#include <espalier/core/table.h>
#include <espalier/core/text.h>

namespace espalier::trace {
namespace {

using text::grouped;

std::string megabytes(double bytes) { return text::fixed(bytes / 1e6, 2) + " MB"; }

double bytes(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.numel()) * static_cast<double>(itemsize(dtype));
}

// What the record says of the module under a path: its calls, in order.
struct Calls {
  explicit Calls(const Record& record) : record(record) {
    for (const Call& c : record.calls) {
      if (c.module) by_path[c.path].push_back(&c);
    }
  }
  std::string shape(const std::string& path) const {
    auto found = by_path.find(path);
    if (found == by_path.end() || found->second.front()->outputs.empty()) return "-";
    auto n = found->second.size();
    return concat(to_string(record.tensors[found->second.front()->outputs[0]].shape),
                  n > 1 ? concat(" ×", n) : "");
  }
  double flops(const std::string& path) const {
    double sum = 0;
    auto found = by_path.find(path);
    if (found == by_path.end()) return 0;
    for (const Call* c : found->second) sum += c->flops;
    return sum;
  }

  const Record& record;
  std::map<std::string, std::vector<const Call*>> by_path;
};

class Table {
 public:
  explicit Table(const Record& record) : calls_(record) {}

  void add(const Structure& module, const std::string& lead, const std::string& below) {
    rows_.push_back({lead + (module.name.empty() ? module.kind : concat(module.name, " (", module.kind, ")")),
                     calls_.shape(module.path), own(module), cost(module)});
    for (size_t i = 0; i < module.children.size(); ++i) {
      bool last = i + 1 == module.children.size();
      add(module.children[i], below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
    }
  }

  std::string text() const { return text::table(rows_, {2, 3}); }

 private:
  // Parameters that stand in the module itself. A tensor that was counted before is not counted again.
  static std::string own(const Structure& module) {
    int64_t n = 0;
    bool shared = false;
    for (const ParameterInfo& p : module.parameters) {
      if (p.same_as.empty()) n += p.shape.numel();
      else shared = true;
    }
    if (n == 0) return shared ? "(shared)" : "-";
    return grouped(n) + (shared ? " + shared" : "");
  }

  // Of modules without modules inside: what is above them is their sum.
  std::string cost(const Structure& module) const {
    double n = module.children.empty() ? calls_.flops(module.path) : 0;
    return n > 0 ? grouped(static_cast<int64_t>(n)) : "-";
  }

  Calls calls_;
  std::vector<std::vector<std::string>> rows_ = {{"Layer (type)", "Output shape", "Parameters", "FLOPs"}};
};

double parameter_bytes(const Structure& module) {
  double sum = 0;
  for (const ParameterInfo& p : module.parameters) sum += p.same_as.empty() ? bytes(p.shape, p.dtype) : 0;
  for (const Structure& child : module.children) sum += parameter_bytes(child);
  return sum;
}

std::string totals(const Structure& model, const Record& record) {
  int64_t all = model.num_parameters(), trainable = model.num_trainable();
  double input = 0, activations = 0, flops = 0;
  for (const Call& c : record.calls) {
    if (input == 0 && !c.inputs.empty()) {
      const TensorInfo& in = record.tensors[c.inputs[0]];
      input = bytes(in.shape, in.dtype);
    }
    if (c.module || c.parent < 0) continue;
    flops += c.flops;
    for (int64_t t : c.outputs) activations += bytes(record.tensors[t].shape, record.tensors[t].dtype);
  }
  return concat("Parameters: ", grouped(all), " (", grouped(trainable), " trainable, ",
                grouped(all - trainable), " not)\nFLOPs: ", grouped(static_cast<int64_t>(flops)),
                "\nMemory: input ", megabytes(input), ", activations ", megabytes(activations),
                ", parameters ", megabytes(parameter_bytes(model)), "\n");
}

}  // namespace

std::string summary(const Structure& model, const Record& record) {
  Table table(record);
  table.add(model, "", "");
  return table.text() + totals(model, record);
}

}  // namespace espalier::trace
