#pragma once

#include <espalier/core/array.h>

#include <functional>
#include <vector>

// Weights in the order that a kernel works with, kept with their storage while they do not change.
namespace espalier::kernels {

// What make() gives for w, an array computed from w's elements alone. It is kept when it is asked for a
// second time and w has not been written since: in inference, but not in training, where each step changes
// the weights; or `at_once`, where a step asks twice. `order` names what is made: one of the numbers below,
// or one of packing_order().
Array packed(const Array& w, int64_t order, const std::function<Array()>& make, bool at_once = false);

// The same, but an empty array the first time and where nothing can be kept: make() is dearer than to do
// without.
Array packed_if_again(const Array& w, int64_t order, const std::function<Array()>& make);

// The same of what make() gives for w, a setting and further arrays together; it is kept at once, as long as
// none of them changes and no others are asked for. Where nothing can be kept: an empty array unless `cheap`.
Array packed_together(const Array& w, const std::vector<const Array*>& others, double setting, int64_t order,
                      const std::function<Array()>& make, bool cheap);

enum PackedOrder : int64_t {
  kPackedScaled,  // and which of weight and bias there are
  kPackedBfloat16 = kPackedScaled + 4,
  kPackedWinograd,
  kPackedWinogradTurned,
  kPackedTapRows,
  kPackedSplit,
  kPackedSquare,
  kPackedOthers
};

// Bytes that are kept now, of all weights. No more than the limit are kept; 0 keeps nothing.
int64_t packed_bytes();
void set_packed_limit(int64_t bytes);

}  // namespace espalier::kernels
