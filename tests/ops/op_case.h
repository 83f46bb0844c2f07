#pragma once

#include <functional>
#include <string>
#include <vector>

#include <espalier/autograd/tensor.h>

// One row an operation: what it computes, and how it fails. The runner (op_cases_test.cpp) makes inputs and
// checks forward against `reference`, first and second derivative, non-contiguous and empty inputs, and the
// errors.
namespace espalier::test {

// How an input is made. Values are drawn uniformly from [low, high) with a fixed seed; integers are in [low,
// high).
struct In {
  Shape shape;
  double low = -2, high = 2;
  DType dtype = DType::float64;  // only float64 inputs get gradients
  bool grad = true;
  bool distinct = false;  // no two values closer than 1e-3 (for max, sort, pooling)
};

using Args = std::vector<Tensor>;
// Values of a tensor in row-major order, with its shape: what plain reference code works on.
struct Plain {
  Shape shape;
  std::vector<double> v;
  double& at(std::initializer_list<int64_t> index);
  double at(std::initializer_list<int64_t> index) const;
};
Plain plain(const Tensor& t);
Plain make(const Shape& shape, double value = 0);
// f applied to each element of inputs broadcast together.
Plain map(const std::vector<Plain>& in, const std::function<double(const std::vector<double>&)>& f);

struct Failure {
  std::string why;  // "rank 3 input"
  std::function<void()> call;
  std::string message;  // must be part of the error's text
};

struct OpCase {
  std::string op;                       // the name under which it is recorded
  std::vector<std::vector<In>> inputs;  // one list of inputs for each sample
  std::function<Tensor(const Args&)> run;
  std::function<Plain(const std::vector<Plain>&)> reference;
  std::vector<Failure> failures = {};
  bool grad = true;          // has a first derivative
  bool grad2 = true;         // has a second derivative that isn't zero everywhere by nature
  double tolerance = 1e-10;  // of the forward, relative, in float64
  std::string label = {};    // tells rows of the same op apart
};

struct Rows {
  Rows(std::initializer_list<OpCase> rows);
};
const std::vector<OpCase>& op_cases();

}  // namespace espalier::test
