#include <espalier/trace/record.h>

namespace espalier::trace {

std::vector<int64_t> Record::children(int64_t parent) const {
  std::vector<int64_t> out;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].parent == parent) out.push_back(static_cast<int64_t>(i));
  }
  return out;
}

bool Record::has_module_inside(int64_t call) const {
  for (int64_t c : children(call)) {
    if (calls[c].module) return true;
  }
  return false;
}

namespace {

void collect_stages(const Record& record, int64_t parent, std::vector<int64_t>& out) {
  for (int64_t c : record.children(parent)) {
    if (record.calls[c].module && record.has_module_inside(c)) collect_stages(record, c, out);
    else out.push_back(c);
  }
}

}  // namespace

std::vector<int64_t> stages(const Record& record) {
  std::vector<int64_t> out;
  collect_stages(record, -1, out);
  return out;
}

}  // namespace espalier::trace
