#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <espalier/data/image.h>
#include <espalier/models/predict.h>
#include <espalier/models/registry.h>
#include <espalier/train/preparation.h>
#include <espalier/train/run.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/training_trace.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string run;
  std::vector<std::string> images;
  bool trace = false;
};

void run(const Options& o) {
  auto trained = train::Run::open(o.run);
  const train::Settings& s = trained.settings();
  auto model = models::create(s.model, static_cast<int64_t>(s.classes.size()));
  model.ref().load(trained.file("weights.safetensors"), {});
  model.ref().train(false);
  auto preparation = train::Preparation::between(Shape(s.image), models::input_shape(s.model));
  for (const std::string& path : o.images) {
    Array image = train::like_data(data::read_image(path), Shape(s.image));
    auto p = models::predict(model, preparation.apply(image));
    std::cout << path << ": " << s.classes.at(p.best) << "\n"
              << view::probability_chart(p.probabilities, s.classes);
    if (o.trace) std::cout << "\nPrediction trace\n" << view::prediction_trace(p.record);
  }
}

}  // namespace

Work predict(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("run", o->run, "Folder of a run that `espalier train` made")->required();
  command.add_option("images", o->images, "PNG or JPEG files")->required();
  command.add_flag("--trace", o->trace, "Follow each image layer by layer");
  return [o] { run(*o); };
}

}  // namespace espalier::cli
