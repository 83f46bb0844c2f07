#include <espalier/train/step_log.h>

#include <algorithm>
#include <utility>

#include <espalier/io/file.h>

namespace espalier::train {
namespace {

constexpr int64_t kLook = 100;         // steps from look to look: one costs as much as two steps, or less
constexpr int64_t kMostLooks = 200;    // of a training
constexpr int64_t kLinesInEpoch = 50;  // about
constexpr int64_t kMostLines = 2000;   // of a training, about
constexpr double kPatience = 1;        // seconds without a line, where steps are slow

}  // namespace

StepLog::StepLog(std::string path, nn::ModuleRef model, int64_t steps_in_epoch, int64_t epochs)
    : path_(std::move(path)), watch_(model), in_epoch_(std::max<int64_t>(steps_in_epoch, 1)) {
  int64_t steps = in_epoch_ * epochs;
  look_every_ = std::max(steps / kMostLooks, std::min(kLook, std::max<int64_t>(steps / 20, 1)));
  line_every_ = std::max<int64_t>({in_epoch_ / kLinesInEpoch, steps / kMostLines, 1});
}

Recorder* StepLog::begin() {
  looks_ = step_++ % look_every_ == 0;
  return looks_ ? &watch_ : nullptr;
}

void StepLog::gradients() {
  if (looks_) watch_.gradients();
}

bool StepLog::line_is_due() const {
  int64_t in_epoch = (step_ - 1) % in_epoch_ + 1;
  if (looks_ || in_epoch % line_every_ == 0 || in_epoch == in_epoch_) return true;
  return now() - last_ > std::max(kPatience, now() / static_cast<double>(kMostLines));
}

void StepLog::end(int64_t epoch, double lr, double loss, double right, double samples) {
  loss_ += loss, right_ += right, samples_ += samples;
  if (looks_) watch_.updates();
  if (!line_is_due()) return;
  last_ = now();
  trace::Step moment{.step = step_,
                     .epoch = epoch,
                     .loss = loss_ / samples_,
                     .accuracy = right_ / samples_,
                     .lr = lr,
                     .seconds = last_};
  if (looks_) watch_.take(moment);
  io::append_line(path_, trace::to_json(moment));
  loss_ = right_ = samples_ = 0;
}

}  // namespace espalier::train
