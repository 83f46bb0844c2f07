#include <espalier/train/run_data.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/file.h>
#include <espalier/io/safetensors.h>
#include <espalier/ops/arithmetic.h>
#include <espalier/ops/reduce.h>
#include <espalier/trace/record_file.h>

namespace espalier::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Weights = std::map<std::string, Array>;

void read_environment(view::RunData& out, const std::string& path) {
  if (!fs::exists(path)) return;
  Json json = Json::parse(io::read_file(path), nullptr, false);
  require<FileError>(json.is_object(), path, ": not a JSON object");
  auto real = [&](const char* key) {
    return json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
  };
  out.machine = {.flops = 1e9 * real("product_gflops"), .bytes = 1e9 * real("copy_gb_per_second")};
  for (const char* key : {"processor", "threads", "compiler", "data"}) {
    if (!json.contains(key)) continue;
    out.environment.emplace_back(key,
                                 json[key].is_string() ? json[key].get<std::string>() : json[key].dump());
  }
}

Weights weights(const std::string& path) {
  Weights out;
  if (!fs::exists(path)) return out;
  for (auto& [name, array] : io::read_safetensors(path).arrays) out.emplace(name, array);
  return out;
}

double length(const Tensor& x) { return std::sqrt((x * x).sum().item<double>()); }

// |now - before| / |before|; none where that is nothing or has another shape.
std::optional<double> change(const Array& now, const Array& before) {
  if (!(now.shape == before.shape)) return std::nullopt;
  Tensor a = Tensor(now).to(float64), b = Tensor(before).to(float64);
  double base = length(b);
  if (base == 0) return std::nullopt;
  return length(a - b) / base;
}

void add_parameter(view::RunData& out, const trace::ParameterInfo& p, const Weights& now,
                   const Weights& before) {
  auto found = now.find(p.name);
  if (!p.same_as.empty() || found == now.end()) return;
  view::ParameterStory story{
      .name = p.name, .shape = found->second.shape, .now = trace::stats(found->second)};
  auto first = before.find(p.name);
  if (first != before.end()) {
    story.initial = trace::stats(first->second);
    story.change = change(found->second, first->second);
  }
  if (!out.kernels && p.shape.rank() == 4) {
    out.kernels = found->second;
    if (first != before.end()) out.initial_kernels = first->second;
  }
  out.parameters.push_back(std::move(story));
}

void add_parameters(view::RunData& out, const trace::Structure& module, const Weights& now,
                    const Weights& before) {
  for (const trace::ParameterInfo& p : module.parameters) add_parameter(out, p, now, before);
  for (const trace::Structure& child : module.children) add_parameters(out, child, now, before);
}

template <class T>
using Reader = T (*)(const std::string& path);

// What the file holds; nothing where it is not there.
template <class T, class Value>
void read_into(T& to, const std::string& path, Reader<Value> reader) {
  to = fs::exists(path) ? T(reader(path)) : T();
}

// A part of the data and the files that it is read from.
struct Part {
  std::vector<const char*> files;
  bool figures;  // it changes from epoch to epoch at least, and is small
  void (*read)(view::RunData& out, const Run& run);
};

const std::vector<Part>& parts() {
  static const std::vector<Part> all = {
      {{"environment.json"},
       false,
       [](view::RunData& out, const Run& run) {
         out.machine = {}, out.environment.clear();
         read_environment(out, run.file("environment.json"));
       }},
      {{"structure.json"},
       true,
       [](view::RunData& out, const Run& run) {
         out.structure = run.structure().value_or(trace::Structure{});
       }},
      {{"record.json"},
       false,
       [](view::RunData& out, const Run& run) { out.record = run.record().value_or(trace::Record{}); }},
      {{"metrics.jsonl"},
       true,
       [](view::RunData& out, const Run& run) {
         out.history = fs::exists(run.file("metrics.jsonl")) ? run.history() : trace::History{};
       }},
      {{"predictions.safetensors"},
       false,
       [](view::RunData& out, const Run& run) {
         read_into(out.predictions, run.file("predictions.safetensors"), trace::read_predictions);
       }},
      {{"pictures.safetensors"},
       false,
       [](view::RunData& out, const Run& run) {
         read_into(out.pictures, run.file("pictures.safetensors"), trace::read_pictures);
       }},
      {{"samples.json", "samples.safetensors"},
       false,
       [](view::RunData& out, const Run& run) {
         read_into(out.samples, run.file("samples.json"), trace::read_record);
       }},
      {{"structure.json", "weights.safetensors", "initial.safetensors"},
       false,
       [](view::RunData& out, const Run& run) {
         out.parameters.clear();
         out.kernels = out.initial_kernels = std::nullopt;
         add_parameters(out, run.structure().value_or(trace::Structure{}),
                        weights(run.file("weights.safetensors")), weights(run.file("initial.safetensors")));
       }},
  };
  return all;
}

std::string stamp_of(const Part& part, const Run& run) {
  std::string out;
  for (const char* name : part.files) out += io::stamp(run.file(name)) + ";";
  return out;
}

std::string name_of(const Run& run) {
  fs::path folder = fs::path(run.path()).lexically_normal();
  return (folder.has_filename() ? folder : folder.parent_path()).filename().string();
}

}  // namespace

RunFollower::RunFollower(Run run) : run_(std::move(run)), stamps_(parts().size(), "not read") {
  data_.name = name_of(run_);
  data_.settings = run_.settings();
}

void RunFollower::read_steps() {
  std::string path = run_.file("steps.jsonl"), now = io::stamp(path);
  if (now == steps_stamp_) return;
  // A file that shrank, or another one under the name, is read anew.
  bool same = now.substr(0, now.find('-')) == steps_stamp_.substr(0, steps_stamp_.find('-'));
  bool anew = !same || fs::file_size(path) < steps_read_;
  size_t from = anew ? 0 : std::exchange(steps_read_, 0);
  if (from == 0) data_.steps.clear();
  if (!now.empty()) steps_read_ = trace::read_steps(path, from, data_.steps);
  steps_stamp_ = now;
}

void RunFollower::read(bool figures) {
  for (size_t i = 0; i < parts().size(); ++i) {
    const Part& part = parts()[i];
    if (figures && !part.figures) continue;
    std::string now = stamp_of(part, run_);
    if (now == stamps_[i]) continue;
    part.read(data_, run_);
    stamps_[i] = now;
  }
  read_steps();
}

const view::RunData& RunFollower::figures() { return read(true), data_; }
const view::RunData& RunFollower::all() { return read(false), data_; }

std::string RunFollower::figures_stamp() const {
  std::string out = io::stamp(run_.file("steps.jsonl")) + ";";
  for (const Part& part : parts()) {
    if (part.figures) out += stamp_of(part, run_);
  }
  return out;
}

std::string RunFollower::all_stamp() const {
  std::string out;
  for (const Part& part : parts()) out += stamp_of(part, run_);
  return out;
}

view::RunData run_data(const Run& run) { return RunFollower(run).all(); }

}  // namespace espalier::train
