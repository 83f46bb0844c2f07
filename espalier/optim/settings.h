#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::optim {

// Numbers by name, in order: what PyTorch keeps in a param_group's dictionary. Flags are 0 or 1.
class Settings {
 public:
  Settings() = default;
  Settings(std::initializer_list<std::pair<const char*, double>> values);

  // Throws ValueError that lists the names there are.
  double& operator[](std::string_view name);
  double operator[](std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  // Does nothing for a name that stands here.
  void add(std::string name, double value);
  // Gives names that stand here the values of `other`; throws ValueError for a name that doesn't.
  void update(const Settings& other);

  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  const double* find(std::string_view name) const;

  std::vector<std::pair<std::string, double>> values_;
};

}  // namespace espalier::optim
