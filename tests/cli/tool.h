#pragma once

#include <cstdio>
#include <string>

#include <sys/wait.h>

namespace espalier {

struct ToolResult {
  int code = -1;
  std::string out;  // of the stream that was asked for
};

// Runs `command`, as a shell reads it. Standard error is seen by `2>&1 >/dev/null` or alike.
inline ToolResult run_command(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ToolResult result;
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) result.out.append(buffer, n);
  int status = ::pclose(pipe);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  return result;
}

// Runs the built tool with `arguments`.
inline ToolResult run_tool(const std::string& arguments) {
  return run_command(ESPALIER_TOOL " " + arguments);
}

}  // namespace espalier
