#pragma once

namespace espalier::trace {

// What a machine can do with all the threads of a run; 0 where it is not known.
struct Machine {
  double flops = 0;  // a second: multiplications and additions, float32, in a large matrix product
  double bytes = 0;  // a second: read and written, in a large copy

  bool known() const { return flops > 0 && bytes > 0; }
};

}  // namespace espalier::trace
