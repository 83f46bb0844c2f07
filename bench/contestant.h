#pragma once

#include <cstdint>
#include <functional>
#include <string>

// A contestant is a program that measures what its input asks for. A request is a line
//   WORK PHASE BATCH THREADS DTYPE SECONDS     such as   W2 train 64 2 float32 0.3
// and is answered by a line of JSON: the median time of a step over that many seconds, and the most memory
// that the process has held since it first got this request. A contestant that does not know the work answers
// `null`.
namespace bench {

struct Request {
  std::string work, phase;  // phase: "train" or "infer"
  int64_t batch = 0;
  int threads = 0;
  std::string dtype;  // "float32" or "bfloat16"

  bool train() const { return phase == "train"; }
  bool bfloat16() const { return dtype == "bfloat16"; }
  bool operator==(const Request&) const = default;
};

// One training step or one forward pass. It owns model and data.
using Step = std::function<void()>;
// Makes the step that a request asks for; an empty one where there is none.
using Prepare = Step (*)(const Request&);

// Answers requests until the input ends. `program --smoke` instead runs two small steps of everything.
int serve(int argc, char** argv, Prepare prepare);

}  // namespace bench
