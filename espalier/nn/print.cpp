#include <espalier/nn/module_ref.h>

#include <ostream>

namespace espalier::nn {
namespace {

std::string indented(const std::string& text) {
  std::string out;
  for (char c : text) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

// Equal neighbours in a list are one line: (0-2): 3 x Block(…).
std::string list_lines(const Named<ModuleRef>& children) {
  std::string out;
  for (size_t i = 0; i < children.size();) {
    std::string text = to_string(children[i].second);
    size_t end = i + 1;
    while (end < children.size() && to_string(children[end].second) == text) ++end;
    std::string line =
        end - i > 1 ? concat("(", i, "-", end - 1, "): ", end - i, " x ", text) : concat("(", i, "): ", text);
    out += "\n  " + indented(line);
    i = end;
  }
  return out;
}

std::string child_lines(const Named<ModuleRef>& children) {
  std::string out;
  for (auto& [name, child] : children) out += indented(concat("\n(", name, "): ", to_string(child)));
  return out;
}

std::string parameter_lines(const Named<Parameter*>& parameters) {
  std::string out;
  for (auto& [name, p] : parameters) {
    std::string sizes;
    for (int64_t n : p->shape()) sizes += sizes.empty() ? std::to_string(n) : concat("x", n);
    out += concat("\n    (", name, "): Parameter containing: [torch.", p->dtype(), " of size ", sizes, "]");
  }
  return out;
}

}  // namespace

std::string to_string(ModuleRef module) {
  Fields fields = module.fields();
  std::string extra = module.extra_repr(), lines;
  if (module.kind() == "ModuleList") lines = list_lines(fields.children);
  else if (module.kind().starts_with("Parameter")) lines = parameter_lines(fields.parameters);
  else lines = child_lines(fields.children);
  bool one_line = lines.empty() && extra.find('\n') == extra.npos;
  std::string body = one_line || extra.empty() ? extra : indented("\n" + extra);
  return concat(module.kind(), "(", body, lines, lines.empty() && one_line ? "" : "\n", ")");
}

std::ostream& operator<<(std::ostream& out, ModuleRef module) { return out << to_string(module); }

}  // namespace espalier::nn
