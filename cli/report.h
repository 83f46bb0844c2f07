#pragma once

#include <string>

namespace espalier::cli {

// Writes the page of the run in a folder to `path`, or to report.html in that folder, and gives its path.
std::string write_report(const std::string& run, const std::string& path = "");

}  // namespace espalier::cli
