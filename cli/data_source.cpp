#include "data_source.h"

#include <CLI/CLI.hpp>

#include <espalier/data/cifar.h>
#include <espalier/data/image_folder.h>
#include <espalier/data/mnist.h>

namespace espalier::cli {
namespace {

struct Source {
  const char* name;
  const char* usual_place;  // null where a folder must be given
  data::Splits (*open)(const std::string& dir, const Shape& input);
};

constexpr Source kSources[] = {
    {"fashion-mnist", "/usr/share/datasets/fashion-mnist",
     [](const std::string& d, const Shape&) { return data::fashion_mnist(d); }},
    {"mnist", nullptr, [](const std::string& d, const Shape&) { return data::mnist(d); }},
    {"cifar10", nullptr, [](const std::string& d, const Shape&) { return data::cifar10(d); }},
    {"cifar100", nullptr, [](const std::string& d, const Shape&) { return data::cifar100(d); }},
    {"folder", nullptr,
     [](const std::string& d, const Shape& input) {
       return data::image_folder(d, {.resize = data::ImageSize{input[1], input[2]}, .test_every = 10});
     }},
};

}  // namespace

data::Splits open_data(const std::string& spec, const Shape& input) {
  size_t colon = spec.find(':');
  std::string name = spec.substr(0, colon);
  std::string dir = colon == std::string::npos ? "" : spec.substr(colon + 1);
  for (const Source& s : kSources) {
    if (name != s.name) continue;
    if (dir.empty() && !s.usual_place)
      throw CLI::ValidationError("--data", name + " needs a folder, as in " + name + ":DIR");
    return s.open(dir.empty() ? s.usual_place : dir, input);
  }
  throw CLI::ValidationError("--data",
                             "`" + spec +
                                 "` is unknown; there is fashion-mnist[:DIR], mnist:DIR, cifar10:DIR, "
                                 "cifar100:DIR and folder:DIR");
}

}  // namespace espalier::cli
