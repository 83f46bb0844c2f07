#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <espalier/autograd/tensor.h>
#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

namespace espalier::test {

// A file that make.py wrote: what PyTorch computed, by "case/name".
class Golden {
 public:
  explicit Golden(const std::string& file) : file_("golden/" + file + ".safetensors") {}

  Tensor operator()(const std::string& test_case, const std::string& name) const {
    return Tensor(file_.array(test_case + "/" + name));
  }
  std::vector<std::string> cases() const {
    std::vector<std::string> out;
    for (auto& [key, value] : file_.metadata()) {
      if (key != "made_by") out.push_back(key);
    }
    return out;
  }
  // The tensors of a case whose names begin with `prefix`, by what follows it.
  std::vector<std::pair<std::string, Tensor>> all(const std::string& test_case,
                                                  const std::string& prefix) const {
    std::string start = test_case + "/" + prefix;
    std::vector<std::pair<std::string, Tensor>> out;
    for (auto& entry : file_.entries()) {
      if (entry.name.starts_with(start))
        out.emplace_back(entry.name.substr(start.size()), Tensor(file_.array(entry)));
    }
    return out;
  }

 private:
  io::SafetensorsFile file_;
};

// x[i] of a contiguous tensor.
inline Tensor row(const Tensor& x, int64_t i) {
  Shape shape = x.shape();
  shape.erase(0);
  return Tensor(x.array().view(shape, contiguous_strides(shape), x.array().offset + i * shape.numel()));
}

// Expects the same shape and values, with differences up to `tolerance` of the largest value (or of 1 if that
// is more).
inline void expect_close(const Tensor& got, const Tensor& wanted, double tolerance, const std::string& what) {
  ASSERT_TRUE(got.defined()) << what;
  ASSERT_EQ(to_string(got.shape()), to_string(wanted.shape())) << what;
  auto a = got.to_vector<double>(), b = wanted.to_vector<double>();
  double largest = 1;
  for (double v : b) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_LE(std::abs(a[i] - b[i]), tolerance * largest)
        << what << ", element " << i << ": " << a[i] << " and " << b[i];
  }
}

}  // namespace espalier::test
