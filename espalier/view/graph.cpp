#include <espalier/view/graph.h>

#include <algorithm>
#include <map>

#include <espalier/core/text.h>
#include <espalier/view/data_flow.h>

namespace espalier::view {
namespace {

const char* family(const std::string& kind) {
  static const std::map<std::string, const char*> table = {{"Conv1d", "product"},
                                                           {"Conv2d", "product"},
                                                           {"conv2d", "product"},
                                                           {"Linear", "product"},
                                                           {"linear", "product"},
                                                           {"matmul", "product"},
                                                           {"LSTM", "product"},
                                                           {"GRU", "product"},
                                                           {"RNN", "product"},
                                                           {"Embedding", "product"},
                                                           {"embedding", "product"},
                                                           {"BatchNorm1d", "norm"},
                                                           {"BatchNorm2d", "norm"},
                                                           {"LayerNorm", "norm"},
                                                           {"GroupNorm", "norm"},
                                                           {"batch_norm", "norm"},
                                                           {"layer_norm", "norm"},
                                                           {"ReLU", "activation"},
                                                           {"relu", "activation"},
                                                           {"GELU", "activation"},
                                                           {"gelu", "activation"},
                                                           {"Sigmoid", "activation"},
                                                           {"sigmoid", "activation"},
                                                           {"Tanh", "activation"},
                                                           {"tanh", "activation"},
                                                           {"Softmax", "activation"},
                                                           {"softmax", "activation"},
                                                           {"flatten", "shape"},
                                                           {"Flatten", "shape"},
                                                           {"reshape", "shape"},
                                                           {"view", "shape"},
                                                           {"transpose", "shape"},
                                                           {"permute", "shape"},
                                                           {"select", "shape"},
                                                           {"slice", "shape"},
                                                           {"cat", "shape"},
                                                           {"MaxPool2d", "shape"},
                                                           {"max_pool2d", "shape"},
                                                           {"AvgPool2d", "shape"},
                                                           {"mean", "shape"},
                                                           {"unsqueeze", "shape"},
                                                           {"squeeze", "shape"},
                                                           {"AdaptiveAvgPool2d", "shape"}};
  auto found = table.find(kind);
  return found == table.end() ? "other" : found->second;
}

class Builder {
 public:
  explicit Builder(const trace::Record& record) : record_(record), children_(record.calls.size()) {
    for (size_t i = 0; i < record.calls.size(); ++i) {
      int64_t parent = record.calls[i].parent;
      if (parent >= 0) children_[parent].push_back(static_cast<int64_t>(i));
      else outermost_.push_back(static_cast<int64_t>(i));
    }
  }

  Graph build() {
    if (outermost_.empty() || record_.calls[0].inputs.empty()) return {};
    int64_t input = record_.calls[0].inputs[0];
    graph_.nodes.push_back({"input", "", to_string(record_.tensors[input].shape), "input"});
    node_of_[input] = 0;
    add_all(outermost_);
    return std::move(graph_);
  }

 private:
  bool is_stage(int64_t call) const {
    if (!record_.calls[call].module) return true;
    return std::none_of(children_[call].begin(), children_[call].end(),
                        [&](int64_t c) { return record_.calls[c].module; });
  }

  // What a module does, without its path: equal for modules that can be rolled up.
  std::string signature(int64_t call) const {
    const trace::Call& c = record_.calls[call];
    std::string out = concat(c.kind, "(", c.settings);
    for (int64_t t : c.outputs) out += to_string(record_.tensors[t].shape);
    for (int64_t child : children_[call]) out += signature(child);
    return out + ")";
  }

  bool follows(int64_t before, int64_t call) const {
    const trace::Call &a = record_.calls[before], &b = record_.calls[call];
    return !a.outputs.empty() && !b.inputs.empty() && a.outputs[0] == b.inputs[0];
  }

  void add_all(const std::vector<int64_t>& calls) {
    for (size_t i = 0; i < calls.size();) {
      size_t end = i + 1;
      bool rolls = record_.calls[calls[i]].module && !is_stage(calls[i]);
      std::string own = rolls ? signature(calls[i]) : "";
      while (rolls && end < calls.size() && follows(calls[end - 1], calls[end]) &&
             signature(calls[end]) == own)
        ++end;
      if (end - i > 1) add_group(calls, i, end);
      else add(calls[i]);
      i = end;
    }
  }

  void add_group(const std::vector<int64_t>& calls, size_t begin, size_t end) {
    size_t first = graph_.nodes.size();
    add(calls[begin]);
    if (graph_.nodes.size() == first) return;
    const trace::Call &one = record_.calls[calls[begin]], &last = record_.calls[calls[end - 1]];
    graph_.groups.push_back({concat(one.path, " … ", last.path), first, graph_.nodes.size() - 1,
                             static_cast<int64_t>(end - begin)});
    node_of_[last.outputs[0]] = source(one.outputs[0]);
  }

  void add(int64_t call) {
    if (!is_stage(call)) return add_all(children_[call]);
    const trace::Call& c = record_.calls[call];
    if (c.outputs.empty()) return;
    size_t number = graph_.nodes.size();
    std::vector<size_t> from;
    for (int64_t t : c.inputs) {
      auto found = node_of_.find(t);
      if (found != node_of_.end() && std::find(from.begin(), from.end(), found->second) == from.end())
        from.push_back(found->second);
    }
    graph_.nodes.push_back({stage_name(c), c.module ? c.kind : "",
                            to_string(record_.tensors[c.outputs[0]].shape), family(c.kind)});
    for (size_t f : from) graph_.edges.push_back({f, number});
    own_outputs(call, number);
  }

  void own_outputs(int64_t call, size_t number) {
    for (int64_t child : children_[call]) own_outputs(child, number);
    for (int64_t t : record_.calls[call].outputs) node_of_[t] = number;
  }

  size_t source(int64_t tensor) const {
    auto found = node_of_.find(tensor);
    return found == node_of_.end() ? graph_.nodes.size() - 1 : found->second;
  }

  const trace::Record& record_;
  std::vector<std::vector<int64_t>> children_;
  std::vector<int64_t> outermost_;
  std::map<int64_t, size_t> node_of_;  // the node that a tensor comes from
  Graph graph_;
};

}  // namespace

Graph graph(const trace::Record& record) { return Builder(record).build(); }

}  // namespace espalier::view
