#pragma once

#include <functional>
#include <string>
#include <vector>

namespace espalier::cli {

struct Request {
  std::string path;                    // decoded: "/run/a name"
  std::vector<std::string> runs = {};  // values of the query's `run`
  bool whole = false;                  // it has `whole`
  std::string body = {};
  bool post = false;
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "text/html; charset=utf-8";
  // In place of a body: an event stream for as long as somebody listens. Asked every 1.7 seconds what is new;
  // nothing is sent for "". Where it throws the stream ends.
  std::function<std::string()> news = {};
};

using Answer = std::function<Response(const Request&)>;

// Answers requests on 127.0.0.1 until the process ends. Requests under another name of host are refused, so
// that no page of another site reaches it, and so are writing ones that another site sent. `port` 0 takes a
// free one; `ready` is told which. Throws FileError where the port can't be had.
void serve(int port, const Answer& answer, const std::function<void(int port)>& ready);

}  // namespace espalier::cli
