#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

// Prints the median time of `steps` calls in milliseconds, after a tenth as many that do not count.
template <class Step>
void print_step_time(int steps, Step&& step) {
  for (int i = 0; i < std::max(steps / 10, 3); ++i) step();
  std::vector<double> ms;
  for (int i = 0; i < steps; ++i) {
    auto begin = std::chrono::steady_clock::now();
    step();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(ms.begin(), ms.begin() + ms.size() / 2, ms.end());
  std::printf("%.3f\n", ms[ms.size() / 2]);
}
