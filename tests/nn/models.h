#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <espalier/nn/sequential.h>
#include <espalier/ops/creation.h>

// Small models that the tests of nn share. They need no layer of the library.
namespace espalier::test {

// A layer with settings, parameters, a buffer and a training flag.
struct Scale : nn::Module<Scale> {
  int64_t size = 2;
  bool training = true;
  nn::Parameter weight{ones({size})};
  nn::Parameter shift{};  // absent
  nn::Buffer seen{zeros({1})};
  nn::Buffer scratch{zeros({1}), false};
  Tensor forward(const Tensor& x) {
    require<ShapeError>(x.size(-1) == size, "expected ", size, " features, got ", x.size(-1));
    return x * weight;
  }
  std::string extra_repr() const { return concat("size=", size); }
};

struct Block : nn::Module<Block> {
  int64_t width = 2;
  Scale first{.size = width};
  std::optional<Scale> down;
  Tensor forward(const Tensor& x) { return down ? (*down)(first(x)) : first(x); }
};

// Has a constructor and private members.
class Head : public nn::Module<Head> {
 public:
  explicit Head(int64_t width) : norm_{.size = width}, offset(zeros({width})) {}
  Tensor forward(const Tensor& x) { return norm_(x) + offset; }
  const Scale& norm() const { return norm_; }

 private:
  int64_t calls_ = 0;
  Scale norm_;

 public:
  nn::Parameter offset;
  ESPALIER_FIELDS(Head, calls_, norm_, offset)
};

struct Net : nn::Module<Net> {
  std::string title = "net";
  std::vector<int> numbers = {1, 2};
  Head head{2};
  std::vector<Block> blocks = std::vector<Block>(3);
  std::map<std::string, Scale> named;
  std::array<Scale, 2> pair;
  std::tuple<Scale, int> mixed;
  std::unique_ptr<Scale> owned = std::make_unique<Scale>();
  std::vector<nn::Parameter> free;
  Tensor loose = zeros({1});
  nn::Parameter gain{ones({1})};
  Tensor forward(const Tensor& x) {
    Tensor y = head(x);
    for (Block& block : blocks) y = block(y);
    return y * gain;
  }
};

template <class T>
std::vector<std::string> names(const nn::Named<T>& named) {
  std::vector<std::string> out;
  for (auto& [name, value] : named) out.push_back(name);
  return out;
}

}  // namespace espalier::test
