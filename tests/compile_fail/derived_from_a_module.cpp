// expect: a module derives from nn::Module<its own name>
#include <vector>

#include <espalier/nn/module.h>
namespace nn = espalier::nn;

struct Base : nn::Module<Base> {
  nn::Parameter weight;
};
#ifdef CONTROL
struct Special : nn::Module<Special> {
  Base base;
#else
struct Special : Base {
#endif
  nn::Parameter bias;
};
struct Net : nn::Module<Net> {
  std::vector<Special> layers;
};

auto parameters() { return Net().parameters(); }
