#include <exception>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/core/version.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Entry {
  const char* name;
  const char* description;
  Verb* verb;
};

constexpr Entry kVerbs[] = {
    {"train", "Train a model on images and keep the run", train},
    {"predict", "Say what a trained model sees in images", predict},
    {"show", "Say what is in a file of weights or in the folder of a run", show},
    {"summary", "The layers of a model: shapes, parameters, arithmetic, memory", summary},
    {"report", "Write the page that shows all of a run, one file that opens in a browser", report},
    {"quiz", "Ask questions about a model and its run", quiz},
    {"serve", "Show runs in a browser on this machine, live while they train", serve},
    {"convert", "Write the tensors of a file in another format", convert},
    {"diff", "Say which tensors of two files differ, and by how much", diff},
    {"verify", "Say whether a file of weights is sound and safe, or why not", verify},
};

int fail(int code, const char* message) {
  std::cerr << "espalier: error: " << message << '\n';
  return code;
}

int work(const Work& verb) {
  try {
    verb();
    std::cout.flush();
    require<FileError>(std::cout.good(), "can't write the results to standard output");
    return 0;
  } catch (const CLI::Error& e) {
    return fail(2, e.what());
  } catch (const std::exception& e) {
    return fail(1, e.what());
  }
}

int run(int argc, char** argv) {
  CLI::App app("Trains models, and shows all that is in them.", "espalier");
  app.set_version_flag("--version", std::string(version()));
  app.require_subcommand(1);
  Common common;
  Work chosen;
  for (const Entry& entry : kVerbs) {
    CLI::App* command = app.add_subcommand(entry.name, entry.description);
    command->add_flag("-q,--quiet", common.quiet, "No progress and no logs");
    command->final_callback([&chosen, verb = entry.verb(*command, common)] { chosen = verb; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    return fail(2, (std::string(e.what()) + "; see espalier --help").c_str());
  }
  return work(chosen);
}

}  // namespace
}  // namespace espalier::cli

int main(int argc, char** argv) { return espalier::cli::run(argc, argv); }
