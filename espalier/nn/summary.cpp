#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/nn/inspect.h>

namespace espalier::nn {
namespace {

using text::grouped;

std::string megabytes(double bytes) { return text::fixed(bytes / 1e6, 2) + " MB"; }

// What the record says of the module under a path: its calls, in order.
struct Calls {
  explicit Calls(const trace::Record& record) : record(record) {
    for (const trace::Call& c : record.calls) {
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
    for (const trace::Call* c : found->second) sum += c->flops;
    return sum;
  }

  const trace::Record& record;
  std::map<std::string, std::vector<const trace::Call*>> by_path;
};

class Table {
 public:
  explicit Table(const trace::Record& record) : calls_(record) {}

  void add(ModuleRef module, const std::string& path, const std::string& name, const std::string& lead,
           const std::string& below) {
    std::string kind(module.kind());
    rows_.push_back({lead + (name.empty() ? kind : concat(name, " (", kind, ")")), calls_.shape(path),
                     own(module), cost(module, path)});
    auto children = module.named_children();
    for (size_t i = 0; i < children.size(); ++i) {
      bool last = i + 1 == children.size();
      const auto& [child_name, child] = children[i];
      add(child, path.empty() ? child_name : path + "." + child_name, child_name,
          below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
    }
  }

  std::string text() const { return text::table(rows_, {2, 3}); }

 private:
  // Parameters that stand in the module itself. A tensor that was counted before is not counted again.
  std::string own(ModuleRef module) {
    int64_t n = 0;
    bool shared = false;
    Fields fields = module.fields();
    for (const auto& [name, p] : fields.parameters) {
      if (!p->defined()) continue;
      if (seen_.insert(p->body()).second) n += p->numel();
      else shared = true;
    }
    if (n == 0) return shared ? "(shared)" : "-";
    return grouped(n) + (shared ? " + shared" : "");
  }

  // Of modules without modules inside: what is above them is their sum.
  std::string cost(ModuleRef module, const std::string& path) const {
    double n = module.named_children().empty() ? calls_.flops(path) : 0;
    return n > 0 ? grouped(static_cast<int64_t>(n)) : "-";
  }

  Calls calls_;
  std::vector<std::vector<std::string>> rows_ = {{"Layer (type)", "Output shape", "Parameters", "FLOPs"}};
  std::set<const TensorBody*> seen_;
};

std::string totals(ModuleRef model, const trace::Record& record, const Shape& input, DType dtype) {
  int64_t all = 0, trainable = 0;
  double bytes = 0, activations = 0, flops = 0;
  for (const auto& [name, p] : model.named_parameters()) {
    all += p.numel();
    if (p.requires_grad()) trainable += p.numel();
    bytes += static_cast<double>(p.array().bytes());
  }
  for (const trace::Call& c : record.calls) {
    if (c.module) continue;
    flops += c.flops;
    for (int64_t t : c.outputs) {
      const trace::TensorInfo& info = record.tensors[t];
      activations += static_cast<double>(info.shape.numel() * itemsize(info.dtype));
    }
  }
  return concat("Parameters: ", grouped(all), " (", grouped(trainable), " trainable, ",
                grouped(all - trainable), " not)\nFLOPs: ", grouped(static_cast<int64_t>(flops)),
                "\nMemory: input ", megabytes(static_cast<double>(input.numel() * itemsize(dtype))),
                ", activations ", megabytes(activations), ", parameters ", megabytes(bytes), "\n");
}

}  // namespace

std::string summary(ModuleRef model, Run run, const Shape& input, const InputOptions& options) {
  trace::Record record = trace_shapes(model, run, input, options);
  Table table(record);
  table.add(model, "", "", "", "");
  return table.text() + totals(model, record, input, options.dtype);
}

}  // namespace espalier::nn
