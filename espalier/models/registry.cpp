#include <espalier/models/registry.h>

#include <espalier/models/resnet.h>
#include <espalier/models/seed_cnn.h>

namespace espalier::models {
namespace {

struct Entry {
  const char* name;
  Shape input;
  Model (*create)(int64_t classes);
};

// A model is a row here.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = {
      {"seed-cnn", {3, 32, 32}, [](int64_t classes) { return Model::of(SeedCnn{.classes = classes}); }},
      {"resnet18", {3, 32, 32}, [](int64_t classes) { return Model::of(resnet18(classes)); }},
      {"resnet20", {3, 32, 32}, [](int64_t classes) { return Model::of(resnet20(classes)); }},
  };
  return table;
}

const Entry& find(const std::string& name) {
  std::string known;
  for (const Entry& e : entries()) {
    if (name == e.name) return e;
    known += (known.empty() ? "" : ", ") + std::string(e.name);
  }
  throw ValueError(concat("there is no model called `", name, "`; there is: ", known));
}

}  // namespace

Model create(const std::string& name, int64_t classes) { return find(name).create(classes); }
Shape input_shape(const std::string& name) { return find(name).input; }

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const Entry& e : entries()) out.push_back(e.name);
  return out;
}

}  // namespace espalier::models
