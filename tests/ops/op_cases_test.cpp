#include "op_case.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/gradcheck.h>
#include <espalier/autograd/node.h>
#include <espalier/autograd/recorder.h>

namespace espalier::test {

namespace {

std::vector<OpCase>& table() {
  static std::vector<OpCase> rows;
  return rows;
}

int64_t position(const Shape& shape, std::initializer_list<int64_t> index) {
  int64_t at = 0;
  int d = 0;
  for (int64_t i : index) at = at * shape[d++] + i;
  return at;
}

std::vector<double> values(const In& in, std::mt19937& rng) {
  std::vector<double> v(in.shape.numel());
  std::uniform_real_distribution<double> draw(in.low, in.high);
  for (double& x : v) x = draw(rng);
  if (in.distinct) {
    for (size_t i = 0; i < v.size(); ++i) v[i] = in.low + (in.high - in.low) * (i + 0.5) / v.size();
    std::shuffle(v.begin(), v.end(), rng);
  }
  if (!is_floating_point(in.dtype)) {
    for (double& x : v) x = std::floor(x);
  }
  return v;
}

// The values in a tensor whose memory is spread: every second element of a larger block, last dimension
// first.
Array spread(const Shape& shape, DType dtype) {
  Shape wide = shape;
  Strides strides = shape;
  int64_t step = 2;
  for (int i = 0; i < shape.rank(); ++i) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  Array block = Array::empty({std::max<int64_t>(step, 2)}, dtype);
  return block.view(wide, strides, 1);
}

Tensor tensor_of(const In& in, const std::vector<double>& v, bool strided) {
  Array a = strided ? spread(in.shape, in.dtype) : Array::empty(in.shape, in.dtype);
  if (nothing_to_do(a)) return Tensor(a);
  visit_dtype(in.dtype, [&]<class T>(T) {
    for (size_t i = 0; i < v.size(); ++i) {
      int64_t rest = i, at = 0;
      for (int d = a.rank() - 1; d >= 0; --d) {
        at += rest % a.shape[d] * a.strides[d];
        rest /= a.shape[d];
      }
      a.data<T>()[at] = static_cast<Compute<T>>(v[i]);
    }
  });
  return Tensor(a);
}

Args make_args(const OpCase& row, const std::vector<In>& sample, bool strided, bool with_grad) {
  std::mt19937 rng(7);
  Args args;
  for (const In& in : sample) {
    args.push_back(tensor_of(in, values(in, rng), strided));
    if (with_grad && row.grad && in.grad && in.dtype == DType::float64) args.back().requires_grad_();
  }
  return args;
}

std::vector<Plain> plain_all(const Args& args) {
  std::vector<Plain> out;
  for (const Tensor& t : args) out.push_back(plain(t));
  return out;
}

void expect_close(const Tensor& got, const Plain& want, double tolerance, const std::string& what) {
  ASSERT_EQ(to_string(got.shape()), to_string(want.shape)) << what;
  auto v = got.to_vector<double>();
  for (size_t i = 0; i < v.size(); ++i) {
    if (std::isnan(want.v[i]) && std::isnan(v[i])) continue;
    if (v[i] == want.v[i]) continue;
    ASSERT_NEAR(v[i], want.v[i], tolerance * std::max(1.0, std::abs(want.v[i]))) << what << ", element " << i;
  }
}

bool has_elements(const Args& args) {
  for (const Tensor& t : args) {
    if (t.numel() == 0) return false;
  }
  return true;
}

}  // namespace

double& Plain::at(std::initializer_list<int64_t> index) { return v[position(shape, index)]; }
double Plain::at(std::initializer_list<int64_t> index) const { return v[position(shape, index)]; }

Plain plain(const Tensor& t) { return {t.shape(), t.to_vector<double>()}; }
Plain make(const Shape& shape, double value) { return {shape, std::vector<double>(shape.numel(), value)}; }

Plain map(const std::vector<Plain>& in, const std::function<double(const std::vector<double>&)>& f) {
  Shape shape;
  for (const Plain& p : in) shape = broadcast_shapes("map", shape, p.shape);
  Plain out = make(shape);
  for (size_t i = 0; i < out.v.size(); ++i) {
    std::vector<double> args;
    for (const Plain& p : in) {
      int64_t rest = i, at = 0, step = 1;
      for (int d = 1; d <= shape.rank(); ++d) {
        int64_t n = shape[shape.rank() - d], k = rest % n;
        rest /= n;
        if (d > p.shape.rank()) continue;
        int64_t m = p.shape[p.shape.rank() - d];
        at += (m == 1 ? 0 : k) * step;
        step *= m;
      }
      args.push_back(p.v[at]);
    }
    out.v[i] = f(args);
  }
  return out;
}

Rows::Rows(std::initializer_list<OpCase> rows) { table().insert(table().end(), rows.begin(), rows.end()); }
const std::vector<OpCase>& op_cases() { return table(); }

class OpCases : public testing::TestWithParam<size_t> {
 protected:
  const OpCase& row() const { return op_cases()[GetParam()]; }
};

TEST_P(OpCases, ForwardMatchesReference) {
  for (const auto& sample : row().inputs) {
    for (bool strided : {false, true}) {
      Args args = make_args(row(), sample, strided, false);
      expect_close(row().run(args), row().reference(plain_all(args)), row().tolerance,
                   row().op + (strided ? " of non-contiguous inputs" : ""));
    }
  }
}

TEST_P(OpCases, GradientsMatchDifferences) {
  if (!row().grad) return;
  int64_t nodes = live_nodes();
  for (const auto& sample : row().inputs) {
    for (bool strided : {false, true}) {
      Args args = make_args(row(), sample, strided, true);
      if (!has_elements(args)) continue;
      EXPECT_EQ(gradcheck(row().run, args), "") << row().op << (strided ? " of non-contiguous inputs" : "");
      if (row().grad2) {
        EXPECT_EQ(gradgradcheck(row().run, args), "") << row().op;
      }
    }
  }
  EXPECT_EQ(live_nodes(), nodes) << row().op << " keeps its own node alive";
}

TEST_P(OpCases, ShapesAloneGiveTheSameShape) {
  for (const auto& sample : row().inputs) {
    Args args = make_args(row(), sample, false, false);
    Tensor real = row().run(args);
    try {
      ShapesOnly scope;
      Tensor y = row().run(args);
      EXPECT_EQ(to_string(y.shape()), to_string(real.shape())) << row().op;
      EXPECT_EQ(y.dtype(), real.dtype()) << row().op;
    } catch (const ValueError& e) {
      EXPECT_NE(e.message().find("values"), std::string::npos)
          << e.what();  // the result's shape depends on values
    }
  }
}

TEST_P(OpCases, BadInputIsRefusedWithAClearError) {
  for (const Failure& f : row().failures) {
    try {
      f.call();
      ADD_FAILURE() << row().op << " accepted " << f.why;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find(f.message), std::string::npos)
          << row().op << ", " << f.why << ": \"" << e.what() << "\" does not say \"" << f.message << '"';
    }
  }
}

namespace {

// Sees the names of operations that run.
struct Names : Recorder {
  std::vector<std::string> seen;
  void enter(const Scope&, std::span<const Tensor>) override {}
  void leave(std::span<const Tensor>) override {}
  int64_t operation(const char* op, const Inputs&, const Tensor&, Attrs) override {
    seen.push_back(op);
    return 0;
  }
  void backward_begin(const char*, int64_t) override {}
  void backward_end(const char*, int64_t, const Tensor&) override {}
};

}  // namespace

TEST_P(OpCases, IsRecordedUnderItsName) {
  Names names;
  RecorderScope scope(&names);
  row().run(make_args(row(), row().inputs.front(), false, false));
  EXPECT_NE(std::find(names.seen.begin(), names.seen.end(), row().op), names.seen.end())
      << row().op << " is not among what ran: " << testing::PrintToString(names.seen);
}

INSTANTIATE_TEST_SUITE_P(All, OpCases, testing::Range<size_t>(0, op_cases().size()), [](const auto& info) {
  const OpCase& row = op_cases()[info.param];
  return row.op + (row.label.empty() ? "" : "_" + row.label) + "_" + std::to_string(info.param);
});

}  // namespace espalier::test
