#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <espalier/core/random.h>
#include <espalier/core/table.h>
#include <espalier/core/threads.h>
#include <espalier/models/predict.h>
#include <espalier/models/registry.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/sgd.h>
#include <espalier/train/fit.h>
#include <espalier/train/preparation.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/training_trace.h>

#include "data_source.h"
#include "report.h"
#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  train::Settings settings{.model = "seed-cnn", .data = "fashion-mnist", .optimizer = "adam"};
  std::string out;
  int threads = 0;
};

optim::Optimizer make_optimizer(const Options& o, nn::ModuleRef model) {
  double lr = o.settings.lr;
  if (o.settings.optimizer == "sgd") return optim::SGD(model.named_parameters(), {.lr = lr, .momentum = 0.9});
  return optim::Adam(model.named_parameters(), {.lr = lr});
}

CLI::Validator positive() {
  return CLI::Validator(
      [](const std::string& text) {
        double value = 0;
        return CLI::detail::lexical_cast(text, value) && value > 0
                   ? ""
                   : "must be a number above 0, got `" + text + "`";
      },
      "above 0");
}

CLI::Validator one_of(const std::vector<std::string>& names) {
  return CLI::Validator(
      [names](const std::string& text) {
        if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
        return "there is no `" + text + "`; there is: " + CLI::detail::join(names, ", ");
      },
      CLI::detail::join(names, "|"));
}

void introduce(const Options& o, const data::Splits& data, const train::Preparation& preparation) {
  std::cout << data.train.name << ": " << text::grouped(data.train.size()) << " images to train on, "
            << text::grouped(data.test.size()) << " to test with, " << data.train.classes.size()
            << " classes\n";
  if (!data.train.notes.empty()) std::cout << "Note: " << data.train.notes << "\n";
  std::cout << "Preparation: " << preparation.text() << "\n\n";
  std::cout << "Data flow of a batch of " << o.settings.batch_size << " through " << o.settings.model << "\n";
}

void show_prediction(models::Model& model, const data::Splits& data, const train::Preparation& preparation) {
  model.ref().train(false);
  Tensor x = preparation.apply(data.test.image(0));
  auto p = models::predict(model, x);
  std::cout << "\nPrediction trace of the first test image (" << data.test.classes.at(data.test.labels.at(0))
            << ")\n"
            << view::prediction_trace(p.record) << "\nClass probabilities\n"
            << view::probability_chart(p.probabilities, data.train.classes);
}

void run(Options o, const Common& common) {
  if (o.threads > 0) set_num_threads(o.threads);
  Shape input = models::input_shape(o.settings.model);
  std::string folder = o.out.empty() ? train::Run::free_path("runs/" + o.settings.model) : o.out;
  train::Run::refuse_existing(folder);
  data::Splits data = open_data(o.settings.data, input);
  auto preparation = train::Preparation::between(data.train.image(0).shape, input);

  manual_seed(o.settings.seed);
  auto model = models::create(o.settings.model, static_cast<int64_t>(data.train.classes.size()));
  introduce(o, data, preparation);
  Shape batch = input;
  batch.insert(0, o.settings.batch_size);
  std::cout << view::data_flow(nn::trace_shapes(model.ref(), model.run(), batch));

  std::cout << "\nTraining trace\n";
  o.settings.image = data.train.image(0).shape.vec();
  auto history = train::fit(model.ref(), model, data.train,
                            {.epochs = o.settings.epochs,
                             .batch_size = o.settings.batch_size,
                             .validation = &data.test,
                             .optimizer = make_optimizer(o, model.ref()),
                             .transform = preparation.transforms(),
                             .run = folder,
                             .progress = !common.quiet,
                             .settings = o.settings});
  std::cout << "\nLoss by epoch\n" << view::loss_chart(history);
  show_prediction(model, data, preparation);
  std::cout << "\nThe run is in " << folder << ": try `espalier show " << folder << "` and `espalier predict "
            << folder << " IMAGE`\n"
            << "Its report is in " << write_report(folder) << "; open it in a browser\n";
}

}  // namespace

Work train(CLI::App& command, const Common& common) {
  auto o = std::make_shared<Options>();
  auto& s = o->settings;
  auto option = [&](const char* name, auto& value, const char* text) {
    return command.add_option(name, value, text)->capture_default_str();
  };
  option("--model", s.model, "Which model")->check(one_of(models::names()));
  option("--data", s.data, "fashion-mnist[:DIR], mnist:DIR, cifar10:DIR, cifar100:DIR or folder:DIR");
  option("--epochs", s.epochs, "Times through the training data")->check(positive());
  option("--batch-size", s.batch_size, "Images a step")->check(positive());
  option("--optimizer", s.optimizer, "adam or sgd (momentum 0.9)")->check(one_of({"adam", "sgd"}));
  option("--lr", s.lr, "Learning rate")->check(positive());
  option("--seed", s.seed, "Seed of all random numbers");
  command.add_option("--threads", o->threads, "Threads (default: the processor's)")->check(positive());
  command.add_option("--out", o->out, "Folder of the run (default: runs/MODEL, or the next that is free)");
  return [o, &common] { run(*o, common); };
}

}  // namespace espalier::cli
