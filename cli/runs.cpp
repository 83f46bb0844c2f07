#include "runs.h"

#include <algorithm>
#include <filesystem>

#include <espalier/core/error.h>

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

// A folder of its own that holds a run, all of it ordinary files: no links.
bool is_run(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(fs::symlink_status(folder, error))) return false;
  if (!fs::is_regular_file(fs::symlink_status(folder / "settings.toml", error))) return false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_symlink(error)) return false;
  }
  return !error;
}

}  // namespace

Runs::Runs(const std::string& folder) {
  std::error_code error;
  fs::path path = fs::canonical(folder, error);
  require<FileError>(!error && fs::is_directory(path), "'", folder,
                     "' is not a folder; give one that holds runs, or a run");
  if (is_run(path)) {
    only_ = path.filename().string();
    path = path.parent_path();
  }
  root_ = path.string();
}

std::vector<std::string> Runs::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    std::string name = entry.path().filename().string();
    if ((!only_ || name == *only_) && is_run(entry.path())) out.push_back(name);
  }
  std::ranges::sort(out);
  return out;
}

std::optional<std::string> Runs::path_of(const std::string& name) const {
  if (only_ && name != *only_) return std::nullopt;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    if (entry.path().filename() == name && is_run(entry.path())) return entry.path().string();
  }
  return std::nullopt;
}

std::optional<train::Run> Runs::open(const std::string& name) const {
  auto path = path_of(name);
  if (!path) return std::nullopt;
  return train::Run::open(*path);
}

}  // namespace espalier::cli
