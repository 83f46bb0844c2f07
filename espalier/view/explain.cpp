#include <espalier/view/explain.h>

#include <algorithm>
#include <map>

#include <espalier/core/table.h>
#include <espalier/core/text.h>

namespace espalier::view {
namespace {

// A call with what is needed to speak of it.
struct Stage {
  const trace::Record& record;
  int64_t number;

  const trace::Call& call() const { return record.calls[number]; }
  const Shape& in() const { return record.tensors[call().inputs.at(0)].shape; }
  const Shape& out() const { return record.tensors[call().outputs.at(0)].shape; }
};

// The shape of the weight that the operation, or one inside the module, reads.
Shape weight(const trace::Record& record, int64_t number) {
  for (int64_t t : record.calls[number].inputs) {
    if (record.tensors[t].name.ends_with("weight")) return record.tensors[t].shape;
  }
  for (int64_t child : record.children(number)) {
    if (Shape inside = weight(record, child); !inside.empty()) return inside;
  }
  return {};
}

// The part of "3, 32, kernel_size=(3, 3), stride=(1, 1)" behind `key=`, up to the comma outside brackets.
std::string setting(const trace::Call& call, const std::string& key) {
  size_t at = call.settings.find(key + "=");
  if (at == std::string::npos) return "";
  at += key.size() + 1;
  int depth = 0;
  size_t end = at;
  for (; end < call.settings.size() && (depth > 0 || call.settings[end] != ','); ++end) {
    if (call.settings[end] == '(' || call.settings[end] == '[') ++depth;
    if (call.settings[end] == ')' || call.settings[end] == ']') --depth;
  }
  return call.settings.substr(at, end - at);
}

std::string conv(const Stage& s) {
  Shape w = weight(s.record, s.number);
  if (w.rank() != 4) return s.call().settings;
  return concat(w[0], " filters of ", w[2], "×", w[3], " slide over ", w[1], " channels");
}

std::string linear(const Stage& s) {
  return concat(text::grouped(s.out().back()), " weighted sums of ", text::grouped(s.in().back()),
                " numbers");
}

std::string flatten(const Stage& s) {
  if (s.in().rank() != 4 || setting(s.call(), "start_dim") != "1") return "several dimensions become one";
  return concat("the ", s.in()[1], " maps of an image become one row");
}

template <size_t N>
struct Text {
  constexpr Text(const char (&text)[N]) { std::copy_n(text, N, value); }
  char value[N];
};

template <Text text>
std::string say(const Stage&) {
  return text.value;
}

template <Text text>
std::string of_each_window(const Stage& s) {
  std::string size = setting(s.call(), "kernel_size");
  return concat(text.value, " of each window", size.empty() ? "" : " of ", size);
}

std::string recurrent(const Stage& s) {
  return concat("a state of ", s.out().back(), " numbers is carried from step to step");
}

std::string dropout(const Stage& s) { return concat("drops values with p=", setting(s.call(), "p")); }

using Words = std::string (*)(const Stage&);

// By kind: modules under their struct's name, operations under their own.
const std::map<std::string, Words>& words() {
  static const std::map<std::string, Words> table = {
      {"Conv2d", conv},
      {"conv2d", conv},
      {"Linear", linear},
      {"linear", linear},
      {"Flatten", flatten},
      {"flatten", flatten},
      {"ReLU", say<"negative values become 0">},
      {"relu", say<"negative values become 0">},
      {"GELU", say<"negative values fade out smoothly">},
      {"gelu", say<"negative values fade out smoothly">},
      {"Sigmoid", say<"values are squeezed into 0 to 1">},
      {"sigmoid", say<"values are squeezed into 0 to 1">},
      {"Tanh", say<"values are squeezed into -1 to 1">},
      {"tanh", say<"values are squeezed into -1 to 1">},
      {"Softmax", say<"scores become probabilities">},
      {"softmax", say<"scores become probabilities">},
      {"MaxPool2d", of_each_window<"the largest">},
      {"max_pool2d", of_each_window<"the largest">},
      {"AvgPool2d", of_each_window<"the mean">},
      {"avg_pool2d", of_each_window<"the mean">},
      {"AdaptiveAvgPool2d", say<"the mean of each region">},
      {"adaptive_avg_pool2d", say<"the mean of each region">},
      {"BatchNorm1d", say<"each feature to mean 0, spread 1, then scaled">},
      {"BatchNorm2d", say<"each channel to mean 0, spread 1, then scaled">},
      {"LayerNorm", say<"each example to mean 0, spread 1, then scaled">},
      {"Dropout", dropout},
      {"dropout", dropout},
      {"Embedding", say<"each index becomes its row of the table">},
      {"LSTM", recurrent},
      {"GRU", recurrent},
      {"RNN", recurrent},
      {"MultiheadAttention", say<"each step gathers from all steps what it attends to">},
      {"scaled_dot_product_attention", say<"each step gathers from all steps what it attends to">},
      {"self_attention", say<"each step gathers from all steps what it attends to">},
      {"matmul", say<"rows times columns: a matrix product">},
      {"reshape", say<"the same numbers in another shape">},
      {"view", say<"the same numbers in another shape">},
      {"add", say<"two tensors are added">},
      {"add_", say<"two tensors are added">},
      {"mul", say<"two tensors are multiplied">},
      {"mean", say<"the mean over some dimensions">},
      {"sum", say<"the sum over some dimensions">},
      {"transpose", say<"two dimensions change places">},
      {"permute", say<"the dimensions change places">},
      {"cat", say<"tensors are joined">},
      {"select", say<"one position along a dimension">},
      {"slice", say<"some positions along a dimension">},
      {"Identity", say<"nothing">},
      {"cross_entropy", say<"the loss: how unlikely the right classes were">},
      {"mse_loss", say<"the loss: the mean of squared differences">},
  };
  return table;
}

}  // namespace

std::string what_happens(const trace::Record& record, int64_t number) {
  const trace::Call& call = record.calls[number];
  auto known = words().find(call.kind);
  if (known != words().end() && !call.inputs.empty() && !call.outputs.empty())
    return known->second({record, number});
  return call.settings.empty() ? call.kind : concat(call.kind, "(", call.settings, ")");
}

Reading::Reading(const trace::Record& record) {
  for (const trace::Call& call : record.calls) {
    if (call.inputs.empty()) continue;
    const trace::TensorInfo& in = record.tensors[call.inputs[0]];
    images_ = in.shape.rank() == 4;
    tokens_ = in.dtype == int64 || in.dtype == int32;
    if (in.shape.empty()) return;
    batch_ = in.shape[0];
    if (in.shape.rank() > 1) steps_ = in.shape[1];
    // Sequences may have their steps first; what comes out tells how many examples there are.
    if (call.outputs.empty() || in.shape.rank() < 2) return;
    const Shape& out = record.tensors[call.outputs[0]].shape;
    bool second = out.rank() == 2 && out[0] == in.shape[1] && out[0] != in.shape[0];
    if (second && !images_) std::swap(batch_, steps_);
    return;
  }
}

std::vector<std::string> Reading::dimensions(const Shape& s, Role role) const {
  switch (s.rank()) {
    case 4:
      if (images_) return {"batch", "channels", "height", "width"};
      return {"batch", s[1] == steps_ ? "steps" : "heads",
              s[2] == steps_   ? "steps"
              : s[1] == steps_ ? "heads"
                               : "features",
              s[3] == steps_ ? "steps" : "features"};
    case 3:
      if (steps_first(s)) return {"steps", "batch", "features"};
      return {"batch", images_ ? "rows" : "steps", "features"};
    case 2:
      if (role == Role::output) return {"batch", "classes"};
      if (role == Role::input && tokens_) {
        if (steps_first(s)) return {"steps", "batch"};
        return {"batch", "steps"};
      }
      return {"batch", "features"};
    case 1: return {s[0] == batch_ ? "batch" : "values"};
    default: return std::vector<std::string>(s.size(), "");
  }
}

std::string Reading::meaning(const Shape& s, Role role) const {
  if (s.rank() == 0) return "one number";
  if (s.rank() == 4 && role == Role::input) {
    return concat(s[0], " images × ", s[1], " channels × ", s[2], " × ", s[3], " pixels");
  }
  if (s.rank() == 4 && images_) return concat(s[0], " × ", s[1], " feature maps of ", s[2], " × ", s[3]);
  if (s.rank() == 3 && steps_first(s)) {
    return concat(s[0], " steps of ", s[1], " sequences × ", s[2], " features");
  }
  if (s.rank() == 3) return concat(s[0], " sequences × ", s[1], " steps × ", s[2], " features");
  if (s.rank() == 2 && role == Role::output) return concat(s[0], " × ", s[1], " class scores (logits)");
  if (s.rank() == 2 && role == Role::input && tokens_) return concat(s[0], " × ", s[1], " tokens");
  if (s.rank() == 2) return concat(s[0], " × ", s[1], " features");
  return "";
}

}  // namespace espalier::view
