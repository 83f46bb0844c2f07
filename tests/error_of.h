#pragma once

#include <string>

#include <espalier/core/error.h>

namespace espalier::test {

// The text of the error that f throws.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace espalier::test
