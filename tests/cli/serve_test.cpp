#include <algorithm>
#include <csignal>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <httplib.h>

#include <espalier/io/file.h>

#include <cli/tool.h>
#include <data/files.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// `espalier serve` in a process of its own.
class Server {
 public:
  explicit Server(const std::string& runs) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(ESPALIER_TOOL, "espalier", "serve", runs.c_str(), "--port", "0", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::string line;
    for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(ends[0]);
    size_t at = line.find("127.0.0.1:");
    port = at == std::string::npos ? 0 : std::stoi(line.substr(at + 10));
  }
  ~Server() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port = 0;

 private:
  pid_t child_ = 0;
};

class Serve : public testing::Test {
 protected:
  static constexpr const char* kHostile = "<img src=x onerror=alert(1)>";

  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    for (auto [which, n] : {std::pair{"train", 64}, std::pair{"t10k", 20}}) {
      std::string pixels, labels;
      for (int i = 0; i < n; ++i) {
        std::string black(14 * 28, '\0'), white(14 * 28, '\xff');
        pixels += i % 2 ? white + black : black + white;
        labels.push_back(static_cast<char>(i % 2));
      }
      auto count = static_cast<uint32_t>(n);
      io::write_file(*folder_ / (std::string(which) + "-images-idx3-ubyte"),
                     data::idx({count, 28, 28}, pixels));
      io::write_file(*folder_ / (std::string(which) + "-labels-idx1-ubyte"), data::idx({count}, labels));
    }
    fs::create_directory(*folder_ / "runs");
    std::string train = "train --quiet --epochs 2 --threads 1 --data mnist:" + (*folder_ / "") + " --out '";
    ASSERT_EQ(run_tool(train + (*folder_ / "runs/a") + "' >/dev/null").code, 0);
    fs::copy(*folder_ / "runs/a", *folder_ / ("runs/" + std::string(kHostile)));
    fs::copy(*folder_ / "runs/a", *folder_ / "outside");
    fs::create_directory_symlink(*folder_ / "outside", *folder_ / "runs/link");
    fs::copy(*folder_ / "runs/a", *folder_ / "runs/inner");
    fs::remove(*folder_ / "runs/inner/metrics.jsonl");
    fs::create_symlink("/etc/passwd", *folder_ / "runs/inner/metrics.jsonl");
    server_ = new Server(*folder_ / "runs");
    ASSERT_GT(server_->port, 0);
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  static httplib::Client client() { return httplib::Client("127.0.0.1", server_->port); }
  static httplib::Result get(const std::string& path) { return client().Get(path.c_str()); }

  static inline TemporaryFolder* folder_ = nullptr;
  static inline Server* server_ = nullptr;
};

TEST_F(Serve, lists_the_runs_and_shows_each) {
  auto list = get("/");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->status, 200);
  EXPECT_THAT(list->body, HasSubstr("href=\"/run/a\""));
  auto page = get("/run/a");
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, HasSubstr("Training"));
  EXPECT_THAT(page->body, HasSubstr("connect-src &#39;self&#39;"));
}

TEST_F(Serve, gives_a_view) {
  auto view = get("/run/a/view/training");
  EXPECT_THAT(view->body, HasSubstr("<dl class=\"facts\">"));
  EXPECT_THAT(view->body, HasSubstr("<svg"));
  EXPECT_EQ(get("/run/a/view/nothing")->status, 404);
}

// The first `most` events of a stream; `heard` is called after each.
std::vector<std::string> events(httplib::Client client, const std::string& path, size_t most,
                                const std::function<void(size_t so_far)>& heard) {
  std::vector<std::string> out;
  std::string text;
  client.set_read_timeout(60);
  client.Get(path.c_str(), [&](const char* data, size_t size) {
    text.append(data, size);
    for (size_t end; (end = text.find("\n\n")) != std::string::npos; text.erase(0, end + 2)) {
      out.push_back(text.substr(0, end));
      heard(out.size());
    }
    return out.size() < most;
  });
  return out;
}

TEST_F(Serve, a_stream_brings_a_view_and_then_what_is_new) {
  fs::copy(*folder_ / "runs/a", *folder_ / "runs/grows");
  auto append = [](const char* file) {
    std::string path = *folder_ / (std::string("runs/grows/") + file), text = io::read_lines(path);
    io::append_line(path, text.substr(0, text.find('\n')));
  };
  auto heard = events(client(), "/run/grows/follow/training", 3,
                      [&](size_t n) { append(n == 1 ? "steps.jsonl" : "metrics.jsonl"); });
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_THAT(heard[0],
              AllOf(StartsWith("data: <dl class=\"facts\">"), HasSubstr("<figure id=\"chart-step-loss\">")));
  EXPECT_THAT(heard[0], Not(HasSubstr("<caption>Training loss by step")));  // the tables are folded away
  // Values that differ and a marker; at an epoch's end the number of epochs and a row.
  EXPECT_THAT(heard[1],
              AllOf(StartsWith("data: [[["), HasSubstr("<circle class="), Not(HasSubstr("<figure"))));
  EXPECT_THAT(heard[2], AllOf(StartsWith("data: [[[0,"), HasSubstr("\"3 of 2\"]"), HasSubstr("\"<tr class="),
                              Not(HasSubstr("<figure"))));

  // With so many points that they have no marks, another one changes only the line.
  for (int i = 0; i < 40; ++i) append("steps.jsonl");
  heard = events(client(), "/run/grows/follow/training", 2, [&](size_t) { append("steps.jsonl"); });
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_THAT(heard[1], AllOf(StartsWith("data: [[["), HasSubstr(",\"d\",\"M"), Not(HasSubstr("<"))));

  heard = events(client(), "/run/grows/follow/training?whole", 2, [&](size_t) { append("steps.jsonl"); });
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_THAT(heard[1], HasSubstr("<caption>Training loss by step"));
  EXPECT_THAT(get("/run/grows")->body, HasSubstr("<dd>4 of 2</dd>"));
  EXPECT_EQ(get("/run/grows/follow/nothing")->status, 404);
}

TEST_F(Serve, compares_runs) {
  auto page = get("/compare?run=a&run=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E");
  EXPECT_THAT(page->body, HasSubstr("Figures and settings"));
  EXPECT_THAT(page->body, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(get("/compare?run=a")->body, HasSubstr("Choose two to four runs"));
}

TEST_F(Serve, a_name_never_becomes_markup) {
  EXPECT_THAT(get("/")->body, Not(HasSubstr("<img src=x")));
  auto page = get("/run/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E");
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, Not(HasSubstr("<img src=x")));
}

TEST_F(Serve, nothing_outside_the_runs_is_reached) {
  for (const char* path :
       {"/run/..", "/run/.", "/run/", "/run/../outside", "/run/..%2foutside", "/run/%2e%2e%2foutside",
        "/run/a/../../outside", "/run/a/..%2f..%2foutside", "/run/link", "/run/inner", "/run//etc",
        "/etc/passwd", "/../../etc/passwd", "/run/a/view/../../../etc/passwd", "/run/a%00/x", "/run/nope",
        "/settings.toml", "/run/a/settings.toml"}) {
    auto answer = get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_GE(answer->status, 400) << path;
    EXPECT_THAT(answer->body, Not(HasSubstr("root:"))) << path;
  }
  EXPECT_THAT(get("/")->body, Not(HasSubstr("/run/link")));
}

TEST_F(Serve, another_name_of_host_is_refused) {
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1.evil.example"}) {
    auto answer = client().Get("/", {{"Host", host}});
    EXPECT_EQ(answer->status, 403) << host;
  }
}

TEST_F(Serve, headers_keep_other_sites_out) {
  auto page = get("/run/a");
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page->get_header_value("X-Frame-Options"), "DENY");
  EXPECT_EQ(page->get_header_value("Cross-Origin-Resource-Policy"), "same-origin");
  EXPECT_EQ(page->get_header_value("Access-Control-Allow-Origin"), "");
}

TEST_F(Serve, follows_a_dropped_image_through_the_model) {
  Array lower_half = data::plain_image(28, 28, 0, 0, 0);
  for (int64_t c = 0; c < 3; ++c) std::fill_n(lower_half.data<uint8_t>() + c * 784 + 392, 392, uint8_t{255});
  std::string png = data::png(lower_half);
  auto post = [&](const std::string& body) {
    return client().Post("/run/a/predict", {{"X-Espalier", "1"}}, body, "image/png");
  };
  auto answer = post(png);
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_THAT(answer->body, HasSubstr("This image: 0, with "));
  EXPECT_THAT(answer->body, HasSubstr("data-kernel=\"dropped-kernel-"));
  answer = post("no image");
  EXPECT_EQ(answer->status, 400);
  EXPECT_THAT(answer->body, HasSubstr("neither a PNG nor a JPEG"));
  EXPECT_EQ(post(std::string(17 << 20, 'x'))->status, 413);
}

TEST_F(Serve, a_form_of_another_site_can_send_nothing) {
  EXPECT_EQ(client().Post("/run/a/predict", "x", "text/plain")->status, 403);
  EXPECT_EQ(client().Post("/run/a", {{"X-Espalier", "1"}}, "x", "text/plain")->status, 404);
}

TEST(ServeOptions, a_folder_that_is_not_there_is_one_error) {
  ToolResult r = run_tool("serve /nonexistent/runs 2>&1 >/dev/null");
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr("'/nonexistent/runs' is not a folder"));
}

}  // namespace
}  // namespace espalier
