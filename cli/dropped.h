#pragma once

#include <string>

#include <espalier/train/run.h>
#include <espalier/view/html.h>

namespace espalier::cli {

// What the run's model, as its last weights have it, makes of the image in a PNG or JPEG file, layer by
// layer. Throws FileError for what is no such image or is too large, ValueError for a model that has no name
// here.
view::Html follow_image(const train::Run& run, const std::string& file);

}  // namespace espalier::cli
