#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <espalier/core/text.h>

namespace espalier {

// Base of everything Espalier throws. A message says where, what, and what to do; when the error leaves a
// module, the module's path is put in front: "blocks.1.conv (Conv2d): …".
class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const noexcept { return message_; }

  // Puts `where` in front of the message.
  void prepend(std::string_view where) { message_.insert(0, where); }

 private:
  std::string message_;
};

struct ShapeError : Error {
  using Error::Error;
};  // sizes or ranks that do not fit
struct DTypeError : Error {
  using Error::Error;
};  // an element type that is not accepted
struct ValueError : Error {
  using Error::Error;
};  // an argument outside its range
struct IndexError : Error {
  using Error::Error;
};  // a position outside a tensor
struct GradError : Error {
  using Error::Error;
};  // misuse of the tape
struct StateError : Error {
  using Error::Error;
};  // a state_dict that does not fit a model
struct FileError : Error {
  using Error::Error;
};  // a file that is missing, damaged or can't be written
struct MemoryError : Error {
  using Error::Error;
};  // memory that is not to be had

// Throws E with the parts joined to a message unless `ok`.
template <class E, class... Parts>
void require(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    throw E(concat(parts...));
}

}  // namespace espalier
