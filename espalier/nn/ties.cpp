#include <espalier/nn/ties.h>

#include <algorithm>
#include <map>

namespace espalier::nn::detail {
namespace {

struct Tied {
  const Parameter* source;
  Tensor shared;  // what the source holds; kept, so that another tensor can't take its address
  Tensor copy;
};
// Shared parameters that the running copy has not come to yet, or, where it has, that others wait for.
thread_local std::vector<Tied> note;

void collect(ModuleRef module, std::vector<Parameter*>& out) {
  Fields fields = module.fields();
  for (auto& [name, p] : fields.parameters) {
    if (p->defined()) out.push_back(p);
  }
  for (auto& [name, child] : fields.children) collect(child, out);
}

// The parameters below `module` whose tensor another one has too. One that is met twice (a shared module) is
// once here.
std::vector<Parameter*> shared_parameters(ModuleRef module) {
  std::vector<Parameter*> all, shared;
  collect(module, all);
  std::map<TensorBody*, std::vector<Parameter*>> by_body;
  for (Parameter* p : all) {
    auto& same = by_body[p->body()];
    if (std::find(same.begin(), same.end(), p) == same.end()) same.push_back(p);
  }
  for (Parameter* p : all) {
    if (by_body[p->body()].size() > 1) shared.push_back(p);
  }
  return shared;
}

bool noted(const Parameter* p) {
  return std::any_of(note.begin(), note.end(),
                     [&](auto& t) { return t.source == p && t.shared.is_same(*p); });
}

}  // namespace

void begin_copy(ModuleRef source) {
  std::vector<Parameter*> shared = shared_parameters(source);
  if (std::all_of(shared.begin(), shared.end(), noted))
    return;  // part of the copy that runs, or nothing to tie
  note.clear();
  for (Parameter* p : shared) note.push_back({p, *p, {}});
}

void begin_assign(ModuleRef target, ModuleRef source) {
  std::vector<Tensor> kept;
  for (Parameter* p : shared_parameters(target)) {
    bool first = std::none_of(kept.begin(), kept.end(), [&](auto& t) { return t.is_same(*p); });
    if (first) kept.push_back(*p);
    else *p = Parameter();
  }
  begin_copy(source);
}

TiedCopy::TiedCopy(const Parameter& source) : source_(&source), place_(0) {
  while (place_ < note.size() && !(note[place_].source == source_ && note[place_].shared.is_same(source)))
    ++place_;
}

// A copy that only the note holds is left from a copying that failed.
bool TiedCopy::known() const {
  return place_ < note.size() && note[place_].copy.defined() && note[place_].copy.body()->use_count() > 1;
}

Tensor TiedCopy::copy() const { return note[place_].copy; }

void TiedCopy::made(const Tensor& t) {
  if (place_ == note.size()) return;
  Tensor shared = note[place_].shared;
  note.erase(note.begin() + static_cast<std::ptrdiff_t>(place_));
  for (Tied& other : note) {
    if (other.shared.is_same(shared)) other.copy = t;
  }
}

}  // namespace espalier::nn::detail
