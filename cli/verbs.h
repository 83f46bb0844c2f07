#pragma once

#include <functional>

namespace CLI {
class App;
}

// The verbs of the command line tool, one file each.
namespace espalier::cli {

// What every verb understands.
struct Common {
  bool quiet = false;  // no progress or logs on standard error
};

// A verb adds its options to `command` and returns what does the work once they are read. Results go to
// standard output, all else to standard error. What throws an Error ends the tool with 1, a
// CLI::ValidationError with 2.
using Work = std::function<void()>;
using Verb = Work(CLI::App& command, const Common& common);

Verb train;
Verb predict;
Verb show;
Verb report;
Verb summary;
Verb quiz;
Verb serve;
Verb convert;
Verb diff;
Verb verify;

}  // namespace espalier::cli
