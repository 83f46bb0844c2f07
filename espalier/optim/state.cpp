#include <espalier/optim/state.h>

#include <algorithm>
#include <cmath>

#include <espalier/core/error.h>
#include <espalier/optim/state_reader.h>

namespace espalier::optim {
namespace {

template <class List>
auto find(const List& list, std::string_view name) -> decltype(&list.front().second) {
  auto found = std::find_if(list.begin(), list.end(), [&](auto& entry) { return entry.first == name; });
  return found == list.end() ? nullptr : &found->second;
}

}  // namespace

const Tensor* StateDict::tensor(std::string_view name) const { return find(tensors, name); }
const double* StateDict::value(std::string_view name) const { return find(values, name); }

StateReader::StateReader(const StateDict& saved, const char* kind) : saved_(saved) {
  require<StateError>(saved.kind == kind, "the saved state is of ", saved.kind, ", but this is ", kind);
}

double StateReader::value(const std::string& key) {
  used_.insert(key);
  const double* found = saved_.value(key);
  if (!found) problem("missing: " + key);
  return found ? *found : 0;
}

int64_t StateReader::count(const std::string& key) {
  double number = value(key);
  if (number >= 0 && number < 0x1p53 && number == std::floor(number)) return static_cast<int64_t>(number);
  problem(concat(key, ": must be a count, got ", number));
  return 0;
}

Tensor StateReader::tensor(const std::string& key, const Shape& shape) {
  used_.insert(key);
  const Tensor* found = saved_.tensor(key);
  if (!found) problem("missing: " + key);
  else if (found->shape() != shape)
    problem(concat(key, ": saved with shape ", found->shape(), ", needed ", shape));
  else return *found;
  return {};
}

void StateReader::finish() {
  auto unused = [&](auto& entry) {
    if (!used_.count(entry.first)) problem("unexpected: " + entry.first);
  };
  std::for_each(saved_.tensors.begin(), saved_.tensors.end(), unused);
  std::for_each(saved_.values.begin(), saved_.values.end(), unused);
  require<StateError>(problems_.empty(), saved_.kind,
                      ": the saved state does not fit; nothing was changed:", problems_);
}

}  // namespace espalier::optim
