#include <espalier/train/run_data.h>

#include <cmath>
#include <filesystem>
#include <map>

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

void add_results(view::RunData& out, const Run& run) {
  auto add = [&](const char* name, auto& to, auto read) {
    if (fs::exists(run.file(name))) to = read(run.file(name));
  };
  add("steps.jsonl", out.steps, trace::read_steps);
  add("predictions.safetensors", out.predictions, trace::read_predictions);
  add("pictures.safetensors", out.pictures, trace::read_pictures);
  add("samples.json", out.samples, trace::read_record);
}

}  // namespace

view::RunData run_data(const Run& run) {
  fs::path folder = fs::path(run.path()).lexically_normal();
  view::RunData out;
  out.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  out.settings = run.settings();
  read_environment(out, run.file("environment.json"));
  out.structure = run.structure().value_or(trace::Structure{});
  out.record = run.record().value_or(trace::Record{});
  if (fs::exists(run.file("metrics.jsonl"))) out.history = run.history();
  add_results(out, run);
  add_parameters(out, out.structure, weights(run.file("weights.safetensors")),
                 weights(run.file("initial.safetensors")));
  return out;
}

}  // namespace espalier::train
