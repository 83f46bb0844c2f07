#include <map>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/graph_svg.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

using trace::Structure;

// By path, the shape that comes out of a module when it first runs.
std::map<std::string, Shape> output_shapes(const trace::Record& record) {
  std::map<std::string, Shape> out;
  for (const trace::Call& c : record.calls) {
    if (c.module && !c.outputs.empty()) out.emplace(c.path, record.tensors[c.outputs[0]].shape);
  }
  return out;
}

bool shares(const Structure& s) {
  for (const auto& p : s.parameters) {
    if (!p.same_as.empty()) return true;
  }
  return false;
}

class Tree {
 public:
  explicit Tree(const trace::Record& record) : shapes_(output_shapes(record)) {}

  Html item(const Structure& s, const std::string& name, int64_t times, int depth) const {
    Html line = words(s, name, times);
    if (s.children.empty()) return tag("li", {{"class", "leaf"}}, line);
    Html out = begin_tag("details", {{"open", ""}});
    if (depth > 2) out = begin_tag("details");
    out += tag("summary", {}, line);
    out += children(s, depth + 1);
    out += end_tag("details");
    return tag("li", {}, out);
  }

 private:
  Html words(const Structure& s, const std::string& name, int64_t times) const {
    Html out = name.empty() ? Html() : tag("span", {{"class", "name"}}, concat("(", name, "): "));
    if (times > 1) out += concat(times, " x ");
    out += tag("span", {{"class", "kind"}}, s.kind);
    out += s.children.empty()   ? concat("(", s.settings, ")")
           : s.settings.empty() ? std::string()
                                : concat("(", s.settings, ")");
    std::string notes;
    if (int64_t n = s.num_parameters()) {
      notes = concat(text::grouped(n), n == 1 ? " parameter" : " parameters", times > 1 ? " each" : "");
      if (int64_t frozen = n - s.num_trainable())
        notes += concat(", ", text::grouped(frozen), " of them frozen");
    }
    if (shares(s)) notes += concat(notes.empty() ? "" : ", ", "shared with others");
    if (auto shape = shapes_.find(s.path); shape != shapes_.end())
      notes += concat(notes.empty() ? "" : " · ", "gives ", to_string(shape->second));
    return out += tag("span", {{"class", "notes"}}, notes);
  }

  // Equal neighbours in a list are one line, as PyTorch prints them.
  Html children(const Structure& s, int depth) const {
    Html out;
    for (size_t i = 0; i < s.children.size();) {
      size_t end = i + 1;
      while (s.kind == "ModuleList" && end < s.children.size() && alike(s.children[i], s.children[end]))
        ++end;
      const Structure& child = s.children[i];
      auto times = static_cast<int64_t>(end - i);
      out += item(child, times > 1 ? concat(i, "-", end - 1) : child.name, times, depth);
      i = end;
    }
    return tag("ul", {}, out);
  }

  static bool alike(const Structure& a, const Structure& b) {
    if (a.kind != b.kind || a.settings != b.settings || a.children.size() != b.children.size()) return false;
    for (size_t i = 0; i < a.children.size(); ++i) {
      if (!alike(a.children[i], b.children[i])) return false;
    }
    return true;
  }

  std::map<std::string, Shape> shapes_;
};

Html counts(const Structure& s) {
  int64_t all = s.num_parameters(), trainable = s.num_trainable();
  std::string text = concat(s.kind, " has ", text::grouped(all), " parameters");
  if (trainable != all) text += concat(", ", text::grouped(trainable), " of them trainable");
  return tag("p", {{"class", "lead"}}, text, ". Tensors that several modules share are counted once.");
}

}  // namespace

Html structure_view(const RunData& run) {
  if (run.structure.kind.empty())
    return nothing_kept("The run has no structure.json, the tree of the model's modules.");
  Html out = counts(run.structure);
  out += tag("h3", {}, "Modules");
  out += tag("ul", {{"class", "tree"}}, Tree(run.record).item(run.structure, "", 1, 0));
  out += tag("h3", {}, "How data goes through");
  Graph g = graph(run.record);
  if (g.nodes.size() < 2) return out += nothing_kept("The run has no record of a step of the training.");
  return out += graph_figure(g, concat("How data goes through ", run.structure.kind));
}

}  // namespace espalier::view
