#pragma once

#include <cstdio>
#include <string>

#include <sys/wait.h>

namespace espalier {

struct ToolResult {
  int code = -1;
  std::string out;  // of the stream that was asked for
};

// Runs the built tool with `arguments`, as a shell reads them. Standard error is seen by `2>&1 >/dev/null` or
// alike.
inline ToolResult run_tool(const std::string& arguments) {
  std::FILE* pipe = ::popen((ESPALIER_TOOL " " + arguments).c_str(), "r");
  ToolResult result;
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) result.out.append(buffer, n);
  int status = ::pclose(pipe);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  return result;
}

}  // namespace espalier
