// Makes the runs that the browser looks at, each with its report: make_reports FOLDER.
#include <cmath>
#include <cstdio>
#include <filesystem>

#include <espalier/espalier.h>
#include <espalier/io/file.h>
#include <espalier/models/resnet.h>
#include <espalier/nn/structure.h>
#include <espalier/train/run_data.h>
#include <espalier/train/step_record.h>
#include <espalier/view/report.h>

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Images with a bright square whose place tells the class; `hostile` names try to become markup.
data::ImageDataset squares(int64_t n, bool hostile) {
  data::ImageDataset set;
  set.images = zeros({n, 3, 32, 32}).to(uint8).array();
  auto* pixels = set.images.data<uint8_t>();
  for (int64_t i = 0; i < n; ++i) {
    int64_t label = i % 3;
    set.labels.push_back(label);
    for (int64_t k = 0; k < 64; ++k)
      pixels[(i * 3 + i % 2) * 1024 + (8 * label + k / 8 + i % 5) * 32 + 4 + k % 8] =
          static_cast<uint8_t>(200 + i % 50);
  }
  set.classes = {"top", "middle", "bottom"};
  if (hostile)
    set.classes = {"<img src=x onerror=alert(1)>", "\"><script>alert(2)</script>",
                   "bad \xff bytes & 'quotes'"};
  set.name = "squares";
  return set;
}

void write_report(const std::string& path) {
  auto run = train::Run::open(path);
  io::write_file(run.file("report.html"), view::report(train::run_data(run)));
}

struct Fitting {
  int64_t epochs = 1, images = 192;  // a quarter as many for the validation
  bool hostile = false;
};

template <class M>
void fitted(M& model, const std::string& path, const Fitting& f) {
  auto train = squares(f.images, f.hostile), test = squares(f.images / 4, f.hostile);
  train::fit(model, train,
             {.epochs = f.epochs,
              .batch_size = 32,
              .validation = &test,
              .optimizer = optim::Adam(model.parameters(), {.lr = 1e-3}),
              .run = path,
              .verbose = false,
              .progress = false,
              .settings = {.image = {3, 32, 32}}});
  write_report(path);
}

struct Reader : nn::Module<Reader> {
  nn::Embedding embedding{50, 32};
  nn::TransformerEncoder encoder{
      nn::TransformerEncoderLayer{32, 4, {.dim_feedforward = 64, .batch_first = true}}, 3};
  nn::Linear fc{32, 4};

  Tensor forward(const Tensor& tokens) { return fc(encoder(embedding(tokens)).mean(1)); }
};

// A run of a loop of one's own, without images: the folder is filled by hand.
template <class M>
void looped(M& model, const std::string& path, const Tensor& x, const Tensor& y, int64_t epochs) {
  auto run = train::Run::create(path,
                                {.model = std::string(model.ref().kind()),
                                 .data = "made up",
                                 .epochs = epochs,
                                 .batch_size = x.size(0),
                                 .optimizer = "SGD",
                                 .lr = 0.1},
                                "made up");
  run.keep(nn::structure(model.ref()));
  model.save(run.file("initial.safetensors"));
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  train::StepRecord steps(model.ref());
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    trace::Tracer* tracer = steps.begin();
    {
      RecorderScope scope(tracer);
      auto loss = nn::cross_entropy(model(x), y);
      tracer->only_times();
      loss.backward();
    }
    steps.end();
    optimizer.step();
  }
  run.keep(steps.get());
  for (int64_t e = 1; e <= epochs; ++e) {
    double loss = 0.2 + 1.2 * std::exp(-0.05 * static_cast<double>(e));
    run.append({.epoch = e,
                .step = 10 * e,
                .train_loss = loss,
                .train_accuracy = 1 - loss / 2,
                .lr = e > epochs / 2 ? 0.01 : 0.1,
                .seconds = 1.5});
  }
  model.save(run.file("weights.safetensors"));
  write_report(path);
}

// 0, 1, … up to below `end`, and again.
Tensor counting(const Shape& shape, int64_t end) {
  Tensor x(Array::empty(shape, int64));
  for (int64_t i = 0; i < x.numel(); ++i) x.array().data<int64_t>()[i] = i % end;
  return x;
}

void make(const std::string& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  manual_seed(0);
  models::SeedCnn cnn{.classes = 3};
  fitted(cnn, folder + "/seed-cnn", {.epochs = 4});
  models::ResNet small({.classes = 3, .blocks = {2, 2, 1}, .width = 8});
  fitted(small, folder + "/resnet", {.epochs = 2});
  models::SeedCnn hostile{.classes = 3};
  fitted(hostile, folder + "/<b onmouseover=alert(3)>run", {.hostile = true});
  Reader reader;
  looped(reader, folder + "/transformer", counting({16, 12}, 50), counting({16}, 4), 6);
  models::ResNet deep({.classes = 3, .blocks = {8, 8, 8}, .width = 16});
  fitted(deep, folder + "/resnet-50", {.epochs = 100, .images = 24});
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  try {
    if (argc == 2) return espalier::make(argv[1]), 0;
    std::fprintf(stderr, "usage: make_reports FOLDER\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make_reports: %s\n", e.what());
  }
  return 1;
}
