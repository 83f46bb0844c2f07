// expect: a module derives from nn::Module<its own name>
#include <espalier/nn/module.h>
namespace nn = espalier::nn;

struct First : nn::Module<First> {
  nn::Parameter weight;
};
#ifdef CONTROL
struct Second : nn::Module<Second> {
#else
struct Second : nn::Module<First> {
#endif
  nn::Parameter bias;
};
struct Net : nn::Module<Net> {
  Second layer;
};

auto parameters() { return Net().parameters(); }
