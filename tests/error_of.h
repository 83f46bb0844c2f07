#pragma once

#include <string>

#include <espalier/core/error.h>

namespace espalier::test {

// The text of the error of kind E that f throws.
template <class E = Error, class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace espalier::test
