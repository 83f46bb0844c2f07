#pragma once

#include <cstddef>
#include <span>

#include <espalier/core/array.h>
#include <espalier/io/element_type.h>

namespace espalier::io {

// The elements in `bytes`, of a type that arrays do not have, as an array of the wider type that holds their
// values exactly. Throws DTypeError for values of uint64 that int64 does not hold.
Array widened(std::span<const std::byte> bytes, const ElementType& type, const Shape& shape);

}  // namespace espalier::io
