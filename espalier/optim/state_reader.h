#pragma once

#include <set>
#include <string>

#include <espalier/optim/state.h>

namespace espalier::optim {

// Reads a saved state and collects what does not fit, so that one error can say it all before anything is
// changed.
class StateReader {
 public:
  // Throws StateError at once if another kind of thing was saved.
  StateReader(const StateDict& saved, const char* kind);

  // Of what is missing or wrong, a value of 0 or an undefined tensor is returned.
  double value(const std::string& key);
  int64_t count(const std::string& key);
  Tensor tensor(const std::string& key, const Shape& shape);
  void problem(const std::string& text) { problems_ += "\n  " + text; }

  // Throws StateError if there was anything wrong, or if something saved was never asked for.
  void finish();

 private:
  const StateDict& saved_;
  std::set<std::string> used_;
  std::string problems_;
};

}  // namespace espalier::optim
