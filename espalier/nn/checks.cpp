#include <espalier/nn/checks.h>

#include <espalier/autograd/node.h>
#include <espalier/core/error.h>

namespace espalier::nn::detail {

std::string describe_input(const Tensor& x) {
  std::string text = concat("the input is ", x.shape());
  Node* made_by = x.grad_fn();
  if (!made_by) return text;
  text += concat(", from ", made_by->op());
  if (made_by->edges().empty() || !made_by->edges()[0].node) return text;
  Node& before = *made_by->edges()[0].node;
  return text + concat(" of ", before.op(), " ", before.shape());
}

void check_rank(const Tensor& x, int least, int most) {
  if (least <= x.dim() && x.dim() <= most) return;
  std::string wanted = least == most ? std::to_string(least) : concat(least, " to ", most);
  throw ShapeError(
      concat("expected an input of ", wanted, " dimensions, got ", x.dim(), "; ", describe_input(x)));
}

void check_size(const Tensor& x, int dim, int64_t expected, const char* what) {
  int64_t got = x.size(dim);
  if (got != expected)
    throw ShapeError(concat("expected ", expected, " ", what, ", got ", got, "; ", describe_input(x)));
}

void check_setting(const char* kind, const char* name, int64_t value, int64_t least) {
  require<ValueError>(value >= least, kind, ": ", name, " must be at least ", least, ", got ", value);
}

std::string python(double d) {
  std::string text = concat(d);
  return text.find_first_of(".en") == text.npos ? text + ".0" : text;
}

std::string python(const Pair& p) { return p.h == p.w ? std::to_string(p.h) : to_string(p); }

}  // namespace espalier::nn::detail
