#include <espalier/view/assets.h>

#include <espalier/core/error.h>

namespace espalier::view {

// Written when the library is built, by cmake/EspalierEmbed.cmake.
extern const Asset kAssets[];
extern const int kNumAssets;

const Asset& asset(std::string_view name) {
  for (int i = 0; i < kNumAssets; ++i) {
    if (kAssets[i].name == name) return kAssets[i];
  }
  throw ValueError(concat("there is no file `", name, "` in the page"));
}

}  // namespace espalier::view
