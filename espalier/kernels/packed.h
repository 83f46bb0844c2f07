#pragma once

#include <espalier/core/array.h>

#include <functional>

// Weights in the order that a kernel works with, kept with their storage while they do not change.
namespace espalier::kernels {

// What make() gives for w, an array computed from w's elements alone. It is kept when it is asked for a
// second time and w has not been written since: in inference, but not in training, where each step changes
// the weights; or `at_once`, where a step asks twice. `order` names what is made: one of the numbers below,
// or one of packing_order().
Array packed(const Array& w, int64_t order, const std::function<Array()>& make, bool at_once = false);

enum PackedOrder : int64_t {
  kPackedBfloat16,
  kPackedWinograd,
  kPackedWinogradTurned,
  kPackedTapRows,
  kPackedOthers
};

// Bytes that are kept now, of all weights. No more than the limit are kept; 0 keeps nothing.
int64_t packed_bytes();
void set_packed_limit(int64_t bytes);

}  // namespace espalier::kernels
