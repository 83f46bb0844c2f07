#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>

#include <toml++/toml.h>
#include <zlib.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/core/table.h>
#include <espalier/io/quantizer.h>
#include <espalier/io/weights.h>

#include "values.h"
#include "verbs.h"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

struct Options {
  std::string path;
  bool json = false;
  bool checksum = false;
  bool all = false;
};

void print_json(const Json& json) {
  std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string crc32_of(std::span<const std::byte> bytes) {
  char text[9];
  auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  std::snprintf(text, sizeof text, "%08lx", crc);
  return text;
}

std::string size_text(int64_t bytes) {
  const char* unit = "bytes";
  auto size = static_cast<double>(bytes);
  for (const char* larger : {"KiB", "MiB", "GiB"}) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return concat(unit == std::string_view("bytes") ? text::grouped(bytes) : text::fixed(size, 2), " ", unit);
}

// ---- a file of weights

std::string checksum(const io::StoredTensor& tensor) {
  std::string buffer;
  return crc32_of(io::row_major_bytes(tensor, buffer));
}

Json as_json(const io::Quantizer& q) {
  if (!q.axis) return {{"scale", q.scale}, {"zero_point", q.zero_point}};
  Json out{{"axis", *q.axis}, {"scales", io::scales(q)}, {"zero_points", Json::array()}};
  bool whole = q.zero_points.type->name.starts_with("int");
  for (double z : io::zero_points(q)) out["zero_points"].push_back(whole ? Json(std::llround(z)) : Json(z));
  return out;
}

Json as_json(const io::WeightsFile& file, const Options& options) {
  Json tensors = Json::array();
  for (const auto& t : file.tensors()) {
    Json tensor{{"name", t.name}, {"shape", t.shape.vec()}, {"dtype", t.type->name}};
    if (options.checksum) tensor["crc32"] = checksum(t);
    if (t.quantizer) tensor["quantizer"] = as_json(*t.quantizer);
    tensors.push_back(std::move(tensor));
  }
  Json out{{"format", file.format()}, {"tensors", std::move(tensors)}};
  if (!file.aliases().empty()) {
    for (const auto& [name, kept] : file.aliases()) out["aliases"][name] = file.tensors()[kept].name;
  }
  if (!file.metadata().empty()) out["metadata"] = file.metadata();
  if (!file.remarks().empty()) out["remarks"] = file.remarks();
  if (options.all && file.pytorch()) out["values"] = plain_values(file.pytorch()->root());
  return out;
}

void print_values(const io::TorchFile& file) {
  auto lines = value_lines(file.root());
  std::cout << (lines.empty() ? "no values beside the tensors\n" : "values\n");
  for (const auto& [name, value] : lines) std::cout << "  " << name << ": " << value << '\n';
}

std::string listed(const std::vector<double>& numbers) {
  std::string out;
  for (double x : numbers) out += concat(out.empty() ? "" : ", ", x);
  return out;
}

// How the numbers of quantised tensors stand for values; slice by slice where all is asked for.
void print_quantizers(const io::WeightsFile& file, bool all) {
  for (const auto& t : file.tensors()) {
    if (!t.quantizer) continue;
    std::cout << "  " << printable(t.name) << " is quantised: " << to_string(*t.quantizer) << '\n';
    if (!all || !t.quantizer->axis) continue;
    std::cout << "    scales " << listed(io::scales(*t.quantizer)) << "\n    zero points "
              << listed(io::zero_points(*t.quantizer)) << '\n';
  }
}

void print_file(const io::WeightsFile& file, const Options& options) {
  Rows rows{{"name", "shape", "dtype", "bytes"}};
  if (options.checksum) rows[0].push_back("crc32");
  int64_t values = 0, bytes = 0;
  for (const auto& t : file.tensors()) {
    values += t.shape.numel();
    bytes += t.bytes();
    rows.push_back(
        {printable(t.name), to_string(t.shape), std::string(t.type->name), text::grouped(t.bytes())});
    if (options.checksum) rows.back().push_back(checksum(t));
  }
  std::cout << options.path << ": " << file.format() << ", "
            << text::grouped(static_cast<int64_t>(file.tensors().size())) << " tensors, "
            << text::grouped(values) << " values, " << size_text(bytes) << '\n';
  if (!file.tensors().empty()) std::cout << text::table(rows, {3});
  print_quantizers(file, options.all);
  for (const auto& [name, kept] : file.aliases()) {
    std::cout << "  " << printable(name) << " is the same tensor as " << printable(file.tensors()[kept].name)
              << '\n';
  }
  for (const auto& [key, value] : file.metadata())
    std::cout << "  " << printable(key) << ": " << printable(value) << '\n';
  for (const auto& remark : file.remarks()) std::cout << "  note: " << remark << '\n';
  if (options.all && file.pytorch()) print_values(*file.pytorch());
}

void show_file(const Options& options) {
  io::WeightsFile file(options.path);
  if (options.json) print_json(as_json(file, options));
  else print_file(file, options);
}

// ---- the folder of a run

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::string text_of(const fs::path& file) { return fs::exists(file) ? io::read_file(file.string()) : ""; }

Json settings_of(const fs::path& run) {
  std::string path = (run / "settings.toml").string();
  std::ostringstream json;
  try {
    json << toml::json_formatter{toml::parse(text_of(path), path)};
  } catch (const toml::parse_error& e) {
    throw FileError(concat("'", path, "', line ", e.source().begin.line, ": ", e.description()));
  }
  return Json::parse(json.str());
}

// Nothing when there is no line or a torn one.
Json last_metrics(const fs::path& run) {
  Json metrics = Json::parse(last_line(text_of(run / "metrics.jsonl")), nullptr, false);
  return metrics.is_object() ? metrics : Json::object();
}

Json files_of(const fs::path& run) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  Json files = Json::array();
  for (const auto& path : paths) {
    files.push_back({{"name", fs::relative(path, run).string()}, {"bytes", fs::file_size(path)}});
  }
  return files;
}

void print_values(const char* title, const Json& values) {
  std::cout << title << '\n';
  for (const auto& [name, value] : values.items()) std::cout << "  " << name << ": " << value << '\n';
}

void print_run(const Options& options, const Json& run) {
  std::cout << options.path << ": a run\n";
  print_values("settings", run["settings"]);
  print_values("last metrics", run["metrics"]);
  std::cout << "files\n";
  Rows rows{{"name", "size"}};
  for (const auto& file : run["files"]) rows.push_back({file["name"], size_text(file["bytes"])});
  std::cout << text::table(rows, {1});
}

void show_run(const Options& options) {
  fs::path folder = options.path;
  bool run = fs::exists(folder / "settings.toml") || fs::exists(folder / "metrics.jsonl");
  require<FileError>(run, "'", options.path,
                     "' is a folder without settings.toml and metrics.jsonl, not one of a run; ",
                     "give the folder of a run or a file of weights");
  Json json{{"format", "run"},
            {"settings", settings_of(folder)},
            {"metrics", last_metrics(folder)},
            {"files", files_of(folder)}};
  if (options.json) print_json(json);
  else print_run(options, json);
}

}  // namespace

Work show(CLI::App& command, const Common&) {
  auto options = std::make_shared<Options>();
  command
      .add_option("path", options->path,
                  "A file of weights (.safetensors, .pt, .npz, …), or the folder of a run")
      ->required();
  command.add_flag("--json", options->json, "For machines");
  command.add_flag("--all", options->all, "With the plain values of a checkpoint: epochs, settings, …");
  command.add_flag("--checksum", options->checksum, "With the CRC-32 of each tensor's bytes");
  return [options] { fs::is_directory(options->path) ? show_run(*options) : show_file(*options); };
}

}  // namespace espalier::cli
