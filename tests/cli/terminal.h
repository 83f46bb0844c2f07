#pragma once

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace espalier {

// The tool in a terminal of its own, as somebody at a keyboard has it.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), ESPALIER_TOOL);
    child_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (child_ == 0) {
      std::vector<char*> argv;
      for (std::string& a : arguments) argv.push_back(a.data());
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::tcgetattr(terminal_, &before_);
  }
  ~Terminal() {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
    ::close(terminal_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& keys) { (void)!::write(terminal_, keys.data(), keys.size()); }

  // What came since the last call, up to and with `text`; all of it where `text` does not come.
  std::string until(const std::string& text) {
    while (seen_.find(text) == std::string::npos && more()) {
    }
    size_t at = seen_.find(text);
    size_t end = at == std::string::npos ? seen_.size() : at + text.size();
    std::string out = seen_.substr(0, end);
    seen_.erase(0, end);
    return out;
  }
  std::string rest() {
    while (more()) {
    }
    return std::exchange(seen_, "");
  }

  // As waitpid has it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    return status;
  }
  // The terminal's settings are those from before.
  bool is_sound() const {
    termios now;
    ::tcgetattr(terminal_, &now);
    return now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag &&
           now.c_lflag == before_.c_lflag && now.c_cflag == before_.c_cflag;
  }

 private:
  bool more() {
    pollfd waits{terminal_, POLLIN, 0};
    char buffer[4096];
    if (::poll(&waits, 1, 60000) != 1) return false;
    ssize_t n = ::read(terminal_, buffer, sizeof buffer);  // an error when the tool has ended
    if (n > 0) seen_.append(buffer, static_cast<size_t>(n));
    return n > 0;
  }

  int terminal_ = -1;
  pid_t child_ = 0;
  termios before_;
  std::string seen_;
};

}  // namespace espalier
