#include <espalier/optim/settings.h>

#include <espalier/core/error.h>

namespace espalier::optim {

Settings::Settings(std::initializer_list<std::pair<const char*, double>> values)
    : values_(values.begin(), values.end()) {}

const double* Settings::find(std::string_view name) const {
  for (auto& [key, value] : values_) {
    if (key == name) return &value;
  }
  return nullptr;
}

double Settings::operator[](std::string_view name) const {
  if (const double* value = find(name)) return *value;
  std::string known;
  for (auto& [key, value] : values_) known += (known.empty() ? "" : ", ") + key;
  throw ValueError(concat("there is no setting '", name, "' here; there are: ", known));
}

double& Settings::operator[](std::string_view name) {
  std::as_const(*this)[name];
  return const_cast<double&>(*find(name));
}

void Settings::add(std::string name, double value) {
  if (!contains(name)) values_.emplace_back(std::move(name), value);
}

void Settings::update(const Settings& other) {
  for (auto& [key, value] : other) (*this)[key];
  for (auto& [key, value] : other) (*this)[key] = value;
}

}  // namespace espalier::optim
