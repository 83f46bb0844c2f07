#pragma once

#include <cstdint>
#include <string>

#include <espalier/core/stopwatch.h>

namespace espalier::view {

// Where a long loop stands, on standard error: one line that is rewritten on a terminal, a line every few
// seconds elsewhere.
class Progress {
 public:
  explicit Progress(bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& what, int64_t done, int64_t total, const std::string& figures);
  void clear();  // takes the line away before results are printed

 private:
  bool quiet_, terminal_, drawn_ = false;
  Stopwatch last_;  // since the last line
};

}  // namespace espalier::view
