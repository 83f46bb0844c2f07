#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/core/table.h>
#include <espalier/io/weights.h>
#include <espalier/models/registry.h>
#include <espalier/trace/summary.h>
#include <espalier/train/run.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string path, model;
  std::vector<int64_t> input;
};

bool is_registered(const std::string& model) {
  auto names = models::names();
  return std::find(names.begin(), names.end(), model) != names.end();
}

// By shapes alone; a batch of `batch` where no input is given.
std::string of_model(const std::string& name, int64_t classes, std::vector<int64_t> input, int64_t batch) {
  if (input.empty()) {
    input = models::input_shape(name).vec();
    input.insert(input.begin(), batch);
  }
  auto model = models::create(name, classes);
  return nn::summary(model.ref(), model.run(), Shape(input));
}

std::string of_run(const Options& o) {
  auto run = train::Run::open(o.path);
  const train::Settings& s = run.settings();
  if (is_registered(s.model))
    return of_model(s.model, static_cast<int64_t>(s.classes.size()), o.input, s.batch_size);
  require<ValueError>(o.input.empty(), "the model ", s.model,
                      " is not one of the tool's, so it can't be run for another input; leave --input out");
  auto structure = run.structure();
  require<FileError>(structure.has_value(), run.file("structure.json"),
                     ": not there, so nothing is known of the model's modules");
  return trace::summary(*structure, run.record().value_or(trace::Record{}));
}

// Names joined by dots are a tree: its modules with their tensors.
trace::Structure tree_of(const io::WeightsFile& file) {
  trace::Structure root{.path = "", .name = "", .kind = "file", .settings = ""};
  for (const auto& t : file.tensors()) {
    trace::Structure* module = &root;
    std::string path;
    for (size_t begin = 0, dot; (dot = t.name.find('.', begin)) != t.name.npos; begin = dot + 1) {
      std::string name = t.name.substr(begin, dot - begin);
      path += (path.empty() ? "" : ".") + name;
      auto& children = module->children;
      auto found =
          std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.name == name; });
      if (found == children.end())
        found =
            children.insert(children.end(), {.path = path, .name = name, .kind = "module", .settings = ""});
      module = &*found;
    }
    module->parameters.push_back({t.name, t.shape, t.type->dtype.value_or(float32)});
  }
  return root;
}

using Rows = std::vector<std::vector<std::string>>;

void add_rows(Rows& rows, const trace::Structure& module, const std::string& indent) {
  for (const auto& p : module.parameters) {
    std::string name = printable(p.name.substr(module.path.empty() ? 0 : module.path.size() + 1));
    rows.push_back({indent + name, to_string(p.shape), text::grouped(p.shape.numel())});
  }
  for (const auto& child : module.children) {
    rows.push_back({indent + printable(child.name), "", text::grouped(child.num_parameters())});
    add_rows(rows, child, indent + "  ");
  }
}

std::string of_tensors(const io::WeightsFile& file) {
  trace::Structure tree = tree_of(file);
  Rows rows = {{"name", "shape", "values"}};
  add_rows(rows, tree, "");
  rows.push_back({"sum", "", text::grouped(tree.num_parameters())});
  return text::table(rows, {2});
}

// How many classes the weights are for: the length of what a model of that kind has as its last parameter.
int64_t classes_of(const io::WeightsFile& file, const std::string& model) {
  std::string last = models::create(model, 10).ref().named_parameters().back().first;
  for (const auto& t : file.tensors()) {
    if (t.name == last && !t.shape.empty()) return t.shape[0];
  }
  throw FileError(concat("the file has no tensor `", last, "`, so its weights are not of the model ", model));
}

std::string of_file(const Options& o) {
  io::WeightsFile file(o.path);
  if (!o.model.empty()) return of_model(o.model, classes_of(file, o.model), o.input, 64);
  require<ValueError>(o.input.empty(), o.path,
                      " holds tensors, not how a model runs: say --model NAME for --input");
  return of_tensors(file);
}

void run(const Options& o) { std::cout << (std::filesystem::is_directory(o.path) ? of_run(o) : of_file(o)); }

}  // namespace

Work summary(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("path", o->path, "Folder of a run, or a file of weights")->required();
  command.add_option("--input", o->input, "Shape of a batch, such as 64,3,32,32")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  command.add_option("--model", o->model, "For a file: which model its weights are of")
      ->check(CLI::IsMember(models::names()));
  return [o] { run(*o); };
}

}  // namespace espalier::cli
