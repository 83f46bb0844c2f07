#pragma once

#include <string>

#include <espalier/data/dataset.h>

namespace espalier::cli {

// The data that `--data` names: fashion-mnist[:DIR], mnist:DIR, cifar10:DIR, cifar100:DIR or folder:DIR. A
// folder's images are scaled to the model's `input` [C, H, W]; where it has no test images, every tenth of a
// class is one. Throws CLI::ValidationError that lists these for anything else, FileError where files are
// missing or damaged.
data::Splits open_data(const std::string& spec, const Shape& input);

}  // namespace espalier::cli
