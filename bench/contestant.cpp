#include "contestant.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <vector>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double ms_of(const Step& step) {
  auto begin = Clock::now();
  step();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double>& values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The kernel's high-water mark of resident memory, and its beginning anew.
double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kb; word == "VmHWM:" && status >> kb) return kb / 1024;
  return 0;
}
void reset_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

class Contestant {
 public:
  explicit Contestant(Prepare prepare) : prepare_(prepare) {}

  void answer(const Request& request, double seconds) try {
    if (request != request_) begin(request);
    if (!step_) return void(std::puts("null"));
    double median_ms = seconds > 0 ? measure(seconds) : first_ms_;
    std::printf("{\"median_ms\": %.6f, \"first_ms\": %.3f, \"peak_mb\": %.1f}\n", median_ms, first_ms_,
                peak_mb());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", request.work.c_str(), error.what());
    std::puts("{\"error\": \"it failed\"}");
  }

 private:
  void begin(const Request& request) {
    step_ = {};  // before the next one takes memory
    reset_peak();
    request_ = request;
    step_ = prepare_(request);
    if (!step_) return;
    first_ms_ = last_ms_ = ms_of(step_);
  }

  // Others ran in between: short steps get the caches and the threads back before they count.
  double measure(double seconds) {
    for (double warm = 0; warm < 20 && last_ms_ < 50;) warm += last_ms_ = ms_of(step_);
    std::vector<double> times;
    double spent = 0;
    do {
      times.push_back(last_ms_ = ms_of(step_));
      spent += last_ms_;
    } while (spent < seconds * 1000);
    return median(times);
  }

  Prepare prepare_;
  Request request_;
  Step step_;
  double first_ms_ = 0, last_ms_ = 0;
};

int smoke(Prepare prepare) {
  for (const char* work : {"W1", "W2", "W3", "W4", "W5", "W6-lstm", "W6-encoder", "tape", "loader"}) {
    for (const char* phase : {"train", "infer"}) {
      for (const char* dtype : {"float32", "bfloat16"}) {
        Step step = prepare({work, phase, 2, 2, dtype});
        if (!step) continue;
        std::printf("%s %s %s\n", work, phase, dtype);
        for (int i = 0; i < 2; ++i) step();
      }
    }
  }
  return 0;
}

}  // namespace

int serve(int argc, char** argv, Prepare prepare) {
  if (argc == 2 && argv[1] == std::string("--smoke")) return smoke(prepare);
  if (argc != 1) return std::fputs("It takes requests from its input, or --smoke.\n", stderr), 2;
  Contestant contestant(prepare);
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    Request request;
    double seconds = 0;
    std::istringstream words(line);
    if (words >> request.work >> request.phase >> request.batch >> request.threads >> request.dtype >>
        seconds)
      contestant.answer(request, seconds);
    else return std::fprintf(stderr, "not a request: %s\n", line.c_str()), 2;
  }
  return 0;
}

}  // namespace bench
