#pragma once

namespace espalier {

// Counts seconds from when it is made. <chrono> would cost each file that includes it a tenth of a second.
class Stopwatch {
 public:
  Stopwatch();
  double seconds() const;

 private:
  double start_;
};

}  // namespace espalier
