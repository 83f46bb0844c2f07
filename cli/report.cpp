#include <iostream>

#include <CLI/CLI.hpp>

#include <espalier/io/file.h>
#include <espalier/train/run_data.h>
#include <espalier/view/report.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string run, out;
};

void run(const Options& o) {
  auto run = train::Run::open(o.run);
  std::string path = o.out.empty() ? run.file("report.html") : o.out;
  io::write_file(path, view::report(train::run_data(run)));
  std::cout << path << '\n';
}

}  // namespace

Work report(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("run", o->run, "Folder of a run that `espalier train` made")->required();
  command.add_option("-o,--out", o->out, "The page (default: RUN/report.html)");
  return [o] { run(*o); };
}

}  // namespace espalier::cli
