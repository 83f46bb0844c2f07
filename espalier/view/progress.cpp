#include <espalier/view/progress.h>

#include <unistd.h>

#include <cstdio>

#include <espalier/core/table.h>
#include <espalier/core/text.h>

namespace espalier::view {
namespace {
constexpr double kRedraw = 0.1, kLine = 5;  // seconds; on a terminal, elsewhere
}  // namespace

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO)) {}
Progress::~Progress() { clear(); }

void Progress::show(const std::string& what, int64_t done, int64_t total, const std::string& figures) {
  if (quiet_ || total <= 0) return;
  if (last_.seconds() < (terminal_ ? kRedraw : kLine)) return;
  last_ = {};
  double share = static_cast<double>(done) / static_cast<double>(total);
  std::string line =
      concat("  ", what, "  ", text::pad_right(terminal_ ? text::bar(share, 20) : "", terminal_ ? 20 : 0),
             " ", done, "/", total, "  ", figures);
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
  drawn_ = terminal_;
}

void Progress::clear() {
  if (drawn_) std::fprintf(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace espalier::view
