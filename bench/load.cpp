#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <sys/resource.h>

#include <espalier/espalier.h>

// Loading a large model: load save FILE writes one of 1 GiB, load FILE reads it and says how long that took
// and how much memory there was in use at most. scripts/bench_load compares with PyTorch.
using namespace espalier;

struct Layer : nn::Module<Layer> {
  nn::Parameter weight{zeros({4096, 4096})};
};

struct Large : nn::Module<Large> {
  std::vector<Layer> layers = std::vector<Layer>(16);
};

int main(int argc, char** argv) try {
  Large model;
  if (argc == 3 && std::strcmp(argv[1], "save") == 0) {
    for (auto& layer : model.layers) {
      NoGrad guard;
      layer.weight.copy_(arange(4096 * 4096).view({4096, 4096}));
    }
    return model.save(argv[2]), 0;
  }
  if (argc != 2) return std::cerr << "usage: load [save] FILE\n", 2;
  auto start = std::chrono::steady_clock::now();
  model.load(argv[1]);
  std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%.0f ms, %ld MiB\n", time.count(), usage.ru_maxrss / 1024);
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
