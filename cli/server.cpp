#include "server.h"

#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <httplib.h>

#include <espalier/core/error.h>

namespace espalier::cli {
namespace {

constexpr size_t kMostBytes = 16 << 20;                   // of a request
constexpr int kSeconds = 10;                              // for a request to arrive
constexpr int kIdleSeconds = 2;                           // for it to begin, once there is a connection
constexpr auto kPause = std::chrono::milliseconds(1700);  // between events of a stream
constexpr size_t kThreads = 32;                           // each stream keeps one

// Under another name this machine is reached by a page of another site that had its name changed to
// 127.0.0.1.
bool is_ours(const std::string& host, int port) {
  std::string end = concat(":", port);
  return host == "127.0.0.1" + end || host == "localhost" + end;
}

// A page of another site can send a form here; it can't add this header without asking first.
bool is_from_our_page(const httplib::Request& request) {
  return request.get_header_value("X-Espalier") == "1";
}

Response refusal(int status, const std::string& why) {
  return {status, why + "\n", "text/plain; charset=utf-8"};
}

Request read(const httplib::Request& request) {
  Request out{.path = request.path,
              .whole = request.has_param("whole"),
              .body = request.body,
              .post = request.method == "POST"};
  auto [first, last] = request.params.equal_range("run");
  for (auto it = first; it != last; ++it) out.runs.push_back(it->second);
  return out;
}

Response respond(const httplib::Request& request, const Answer& answer) {
  try {
    return answer(read(request));
  } catch (const Error& e) {
    return refusal(500, e.what());
  }
}

// As one event: each line behind "data: ", and an empty one at its end.
std::string event(const std::string& text) {
  std::string out = "data: ";
  for (char c : text) out += c == '\n' ? std::string("\ndata: ") : std::string(1, c);
  return out + "\n\n";
}

void stream(httplib::Response& to, const std::function<std::string()>& news) {
  using Clock = std::chrono::steady_clock;
  auto send = [news](httplib::DataSink& sink) {
    try {
      std::string text = news();
      if (text.empty()) return true;
      text = event(text);
      return sink.write(text.data(), text.size());
    } catch (const Error&) {
      return false;  // whoever listens asks anew
    }
  };
  to.set_chunked_content_provider("text/event-stream",
                                  [send, due = Clock::time_point()](size_t, httplib::DataSink& sink) mutable {
                                    std::this_thread::sleep_until(due);
                                    due = Clock::now() + kPause;
                                    return sink.is_writable() && send(sink);
                                  });
}

void write(httplib::Response& to, const Response& from) {
  to.status = from.status;
  if (from.news) return stream(to, from.news);
  // Given by a provider it is sent as it is: to compress it would take time from a training.
  auto body = std::make_shared<std::string>(from.body);
  to.set_content_provider(body->size(), from.type.c_str(),
                          [body](size_t offset, size_t length, httplib::DataSink& sink) {
                            return sink.write(body->data() + offset, length);
                          });
}

const httplib::Headers kHeaders = {{"Content-Security-Policy", "frame-ancestors 'none'"},
                                   {"X-Content-Type-Options", "nosniff"},
                                   {"X-Frame-Options", "DENY"},
                                   {"Referrer-Policy", "no-referrer"},
                                   {"Cross-Origin-Resource-Policy", "same-origin"},
                                   {"Cross-Origin-Opener-Policy", "same-origin"},
                                   {"Cache-Control", "no-store"}};

// One server at a port: not shared with another process that asks for the same.
void options(socket_t socket) {
  int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

void serve(int port, const Answer& answer, const std::function<void(int)>& ready) {
  httplib::Server server;
  server.set_socket_options(options);
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_payload_max_length(kMostBytes);
  // httplib looks a hundred times a second whether something comes on a connection that is kept.
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(kIdleSeconds);
  server.set_read_timeout(kSeconds);
  server.set_write_timeout(kSeconds);
  server.set_default_headers(kHeaders);
  if (port == 0) port = server.bind_to_any_port("127.0.0.1");
  else if (!server.bind_to_port("127.0.0.1", port)) port = -1;
  require<FileError>(port > 0, "the port is taken; give another with --port, or 0 for one that is free");

  server.set_pre_routing_handler([port](const httplib::Request& request, httplib::Response& response) {
    using Handler = httplib::Server::HandlerResponse;
    if (is_ours(request.get_header_value("Host"), port)) return Handler::Unhandled;
    write(response, refusal(403, "This server is asked for as 127.0.0.1 or localhost."));
    return Handler::Handled;
  });
  server.Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
    write(response, respond(request, answer));
  });
  server.Post(".*", [&](const httplib::Request& request, httplib::Response& response) {
    if (is_from_our_page(request)) write(response, respond(request, answer));
    else write(response, refusal(403, "Only the pages of this server may send something."));
  });
  ready(port);
  server.listen_after_bind();
}

}  // namespace espalier::cli
