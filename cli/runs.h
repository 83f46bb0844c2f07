#pragma once

#include <optional>
#include <string>
#include <vector>

#include <espalier/train/run.h>

namespace espalier::cli {

// The runs below a folder, or the one run that it is. A run is asked for by its name alone, which must be one
// that the folder holds: no name leads anywhere else, nor do links out of the folder.
class Runs {
 public:
  // Throws FileError where there is no such folder.
  explicit Runs(const std::string& folder);

  std::vector<std::string> names() const;  // sorted; those that can be opened
  // None where there is no such run. Throws FileError for one that is damaged.
  std::optional<train::Run> open(const std::string& name) const;
  // Its folder.
  std::optional<std::string> path_of(const std::string& name) const;

 private:
  std::string root_;  // without links
  std::optional<std::string> only_;
};

}  // namespace espalier::cli
