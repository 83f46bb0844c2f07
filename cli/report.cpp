#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <espalier/io/file.h>
#include <espalier/train/run_data.h>
#include <espalier/view/report.h>

#include "report.h"
#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string run, out;
};

}  // namespace

std::string write_report(const std::string& folder, const std::string& path) {
  auto run = train::Run::open(folder);
  std::string to = path.empty() ? run.file("report.html") : path;
  io::write_file(to, view::report(train::run_data(run)));
  return to;
}

Work report(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("run", o->run, "Folder of a run that `espalier train` made")->required();
  command.add_option("-o,--out", o->out, "The page (default: RUN/report.html)");
  return
      [o] { std::cout << "The report is in " << write_report(o->run, o->out) << "; open it in a browser\n"; };
}

}  // namespace espalier::cli
