#include <espalier/train/fit.h>

#include <cstdio>
#include <optional>

#include <zlib.h>

#include <espalier/autograd/autocast.h>
#include <espalier/autograd/grad_mode.h>
#include <espalier/core/random.h>
#include <espalier/core/stopwatch.h>
#include <espalier/core/table.h>
#include <espalier/nn/structure.h>
#include <espalier/ops/loss.h>
#include <espalier/train/step_log.h>
#include <espalier/train/step_record.h>
#include <espalier/train/test_results.h>
#include <espalier/view/progress.h>
#include <espalier/view/training_trace.h>

namespace espalier::train {
namespace {

// Sums over samples, so that a small last batch counts by its size.
class Mean {
 public:
  void add(const Tensor& loss, const Tensor& output, const Tensor& target) {
    auto n = static_cast<double>(target.numel());
    loss_ += loss.item<double>() * n;
    right_ += output.argmax(1).eq(target).sum().item<double>();
    count_ += n;
  }
  Score score() const { return {loss_ / count_, right_ / count_}; }
  double loss() const { return loss_; }
  double right() const { return right_; }
  double count() const { return count_; }

 private:
  double loss_ = 0, right_ = 0, count_ = 0;
};

void check(const data::ImageDataset& data, const FitOptions& o) {
  require<ValueError>(o.epochs >= 1, "fit: epochs must be at least 1, got ", o.epochs);
  require<ValueError>(o.batch_size >= 1, "fit: batch_size must be at least 1, got ", o.batch_size);
  require<ValueError>(o.optimizer.defined(),
                      "fit: needs an optimizer, such as .optimizer = optim::Adam(model.parameters())");
  require<ValueError>(data.size() > 0, "fit: the training data is empty");
}

Loss loss_of(const FitOptions& o) {
  if (o.loss) return o.loss;
  return [](const Tensor& output, const Tensor& target) { return cross_entropy(output, target); };
}

using See = std::function<void(const Tensor& output, const Tensor& target)>;

Score evaluate(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data,
               const FitOptions& o, const See& see) {
  NoGrad no_grad;
  model.train(false);
  Loss loss = loss_of(o);
  Mean mean;
  data::DataLoader loader(data, {.batch_size = o.batch_size, .workers = o.workers, .transform = o.transform});
  for (auto& [x, y] : loader) {
    Tensor output = forward(x);
    mean.add(loss(output, y), output, y);
    see(output, y);
  }
  return mean.score();
}

// What fit itself knows of a run; the caller's settings say the rest.
Settings settings_of(nn::ModuleRef model, const data::ImageDataset& data, const FitOptions& o) {
  Settings s = o.settings;
  if (s.model.empty()) s.model = model.kind();
  if (s.data.empty()) s.data = data.name;
  s.epochs = o.epochs;
  s.batch_size = o.batch_size;
  s.seed = default_generator().initial_seed();
  s.optimizer = o.optimizer.kind();
  s.lr = o.optimizer.param_groups().at(0)["lr"];
  s.classes = data.classes;
  return s;
}

// The data by its name, size and checksum.
std::string describe(const data::ImageDataset& data) {
  Array images = Tensor(data.images).contiguous().array();
  auto crc = crc32_z(0, static_cast<const Bytef*>(images.data()), static_cast<size_t>(images.bytes()));
  char text[16];
  std::snprintf(text, sizeof text, "%08lx", crc);
  return concat(data.name, ": ", to_string(images.shape), ", crc32 ", text, data.notes.empty() ? "" : "; ",
                data.notes);
}

// The loss sees float32, as within the scope.
Forward lowered(const Forward& forward, const FitOptions& o) {
  if (!o.autocast) return forward;
  return [&forward](const Tensor& x) {
    Autocast scope;
    return forward(x).to(DType::float32);
  };
}

class Fit {
 public:
  Fit(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data, FitOptions& o,
      const std::optional<Run>& run)
      : model_(model),
        forward_(lowered(forward, o)),
        options_(o),
        loss_(loss_of(o)),
        classes_(static_cast<int64_t>(data.classes.size())),
        loader_(data, {.batch_size = o.batch_size,
                       .shuffle = o.shuffle,
                       .workers = o.workers,
                       .transform = o.transform}),
        progress_(!o.progress),
        record_(model) {
    if (run) log_.emplace(run->file("steps.jsonl"), model, loader_.size(), o.epochs);
  }

  void epoch(trace::History& history) {
    Stopwatch clock;
    auto number = static_cast<int64_t>(history.size()) + 1;
    double lr = this->lr();
    Score train = pass(number);
    std::optional<Score> val;
    if (options_.validation) val = validate();
    progress_.clear();
    history.push_back({.epoch = number,
                       .step = steps_,
                       .train_loss = train.loss,
                       .train_accuracy = train.accuracy,
                       .lr = lr,
                       .seconds = clock.seconds()});
    if (val) history.back().val_loss = val->loss, history.back().val_accuracy = val->accuracy;
    if (options_.verbose) say(view::training_line(history, history.size() - 1, options_.epochs, classes_));
  }

  const StepRecord& record() const { return record_; }
  // Of the last epoch.
  const trace::Predictions& predictions() const { return predictions_; }

  static void say(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  Score pass(int64_t number) {
    model_.train(true);
    Mean mean;
    int64_t done = 0;
    for (auto& [x, y] : loader_) {
      options_.optimizer.zero_grad();
      auto [output, loss] = forward_and_backward(x, y);
      options_.optimizer.step();
      ++steps_;
      Mean before = mean;
      mean.add(loss.detach(), output.detach(), y);
      if (log_)
        log_->end(number, lr(), mean.loss() - before.loss(), mean.right() - before.right(),
                  mean.count() - before.count());
      Score now = mean.score();
      progress_.show(concat("epoch ", number, "/", options_.epochs), ++done, loader_.size(),
                     concat("loss ", text::fixed(now.loss, 4), "  accuracy ", text::fixed(now.accuracy, 3)));
    }
    return mean.score();
  }

  std::pair<Tensor, Tensor> forward_and_backward(const Tensor& x, const Tensor& y) {
    Recorder* watch = log_ ? log_->begin() : nullptr;
    // The first step is watched, as it sets the machine up; those after it are recorded.
    bool only_step = loader_.size() * options_.epochs == 1;
    trace::Tracer* tracer = log_ && (steps_ > 0 || only_step) ? record_.begin() : nullptr;
    Tensor output, loss;
    {
      RecorderScope scope(tracer ? tracer : watch ? watch : recorder());
      output = forward_(x);
      loss = loss_(output, y);
      if (tracer) tracer->only_times();
      loss.backward();
    }
    if (tracer) record_.end();
    if (log_) log_->gradients();
    return {output, loss};
  }

  Score validate() {
    predictions_ = {};
    return evaluate(model_, forward_, *options_.validation, options_,
                    [&](const Tensor& output, const Tensor& target) {
                      if (log_) add(predictions_, output, target);
                    });
  }

  double lr() const { return options_.optimizer.param_groups().at(0)["lr"]; }

  nn::ModuleRef model_;
  Forward forward_;
  FitOptions& options_;
  Loss loss_;
  int64_t classes_;
  data::DataLoader loader_;
  view::Progress progress_;
  StepRecord record_;
  int64_t steps_ = 0;
  std::optional<StepLog> log_;  // of a run that is kept
  trace::Predictions predictions_;
};

// What of a run is known before its first step.
void begin_run(Run& run, nn::ModuleRef model) {
  run.keep(nn::structure(model));
  model.save(run.file("initial.safetensors"));
}

}  // namespace

Score evaluate(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data,
               const FitOptions& o) {
  return evaluate(model, forward, data, o, [](const Tensor&, const Tensor&) {});
}

trace::History fit(nn::ModuleRef model, const Forward& forward, const data::ImageDataset& data,
                   FitOptions options) {
  check(data, options);
  std::optional<Run> run;
  if (!options.run.empty()) run = Run::create(options.run, settings_of(model, data, options), describe(data));
  trace::History history;
  bool kept = false;  // an epoch's results are in the run's folder
  int recorded = 0;   // steps of the record there: epochs may be shorter than the record
  try {
    Fit fit(model, forward, data, options, run);
    if (options.verbose) Fit::say(view::training_head());
    if (run) begin_run(*run, model);
    for (int64_t e = 0; e < options.epochs; ++e) {
      fit.epoch(history);
      if (!run) continue;
      if (int steps = fit.record().steps(); e == 0 || steps > recorded) {
        run->keep(fit.record().get());
        recorded = steps;
      }
      model.save(run->file("weights.safetensors"));
      if (options.validation) keep_results(*run, fit.predictions(), *options.validation);
      run->append(history.back());
      kept = true;
    }
    if (run && options.validation) keep_samples(*run, model, forward, *options.validation, options.transform);
  } catch (...) {
    if (run && !kept) run->discard();
    throw;
  }
  return history;
}

}  // namespace espalier::train
