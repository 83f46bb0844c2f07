#pragma once

#include <string>

#include <espalier/autograd/tensor.h>
#include <espalier/io/tree.h>

namespace espalier::optim {

// Reads a saved state and collects what does not fit, so that one error can say it all before anything is
// changed. `where` is a dictionary's place in the state: "param_groups[0]".
class StateReader {
 public:
  explicit StateReader(const char* kind) : kind_(kind) {}

  // Of what is missing or wrong, null, 0, an empty list or an undefined tensor is returned.
  const io::Tree* dict(const io::Tree& from, const char* key);
  const io::Tree* list(const io::Tree& from, const char* key, const std::string& where = "");
  double number(const io::Tree& from, std::string_view key, const std::string& where = "");
  int64_t count(const io::Tree& from, std::string_view key, const std::string& where = "");
  std::vector<double> numbers(const io::Tree& from, const char* key, const std::string& where = "");
  Tensor tensor(const io::Tree& from, std::string_view key, const std::string& where, const Shape& shape);
  void problem(const std::string& text) { problems_ += "\n  " + text; }

  // Throws StateError if there was anything wrong.
  void finish() const;

 private:
  const io::Tree* item(const io::Tree& from, std::string_view key, const std::string& where);
  template <class F>
  void checked(std::string_view key, const std::string& where, F&& read);

  const char* kind_;
  std::string problems_;
};

}  // namespace espalier::optim
