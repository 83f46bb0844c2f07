#pragma once

#include <vector>

#include <espalier/optim/optimizer.h>

namespace espalier::optim {

// How a kind of schedule works. A new one is such a function, and a class derived from LRScheduler that has
// nothing but a constructor.
struct ScheduleRule {
  const char* kind;
  // The learning rate of epoch 0, 1, … of a group that started with base_lr.
  double (*lr)(const Settings& settings, double base_lr, int64_t epoch);
  // Throws ValueError for settings out of range.
  void (*check)(const Settings& settings);
};

// Sets the learning rates of an optimizer's groups. The rate depends on the schedule's own state alone (the
// starting rates and the number of steps), so a rate set by hand lasts until the next step(). A handle:
// copies are the same schedule.
class LRScheduler {
 public:
  LRScheduler() = default;
  bool defined() const { return body_ != nullptr; }
  const char* kind() const;

  // Call it at the end of every epoch (or after every batch, if the schedule counts those).
  void step();
  // The current rate of each group.
  std::vector<double> get_last_lr() const;
  int64_t last_epoch() const;

  // In PyTorch's form.
  io::Tree state_dict() const;
  // Sets the optimizer's rates as well. Throws one StateError that lists all that does not fit, before
  // anything is changed.
  void load_state_dict(const io::Tree& state);

 protected:
  LRScheduler(const ScheduleRule& rule, Optimizer optimizer, Settings settings);

 private:
  struct Body {
    ScheduleRule rule;
    Optimizer optimizer;
    Settings settings;
    std::vector<double> base_lrs;
    int64_t last_epoch;
  };
  Body& body() const;
  void set_rates();

  Shared<Body> body_;
};

struct StepLROptions {
  double gamma = 0.1;
};

// Multiplies the rate by gamma every step_size epochs.
class StepLR final : public LRScheduler {
 public:
  StepLR(Optimizer optimizer, int64_t step_size, const StepLROptions& options = {});
};

struct CosineAnnealingLROptions {
  double eta_min = 0;
};

// From the starting rate to eta_min in T_max epochs along half a cosine, then back, and so on.
class CosineAnnealingLR final : public LRScheduler {
 public:
  CosineAnnealingLR(Optimizer optimizer, int64_t T_max, const CosineAnnealingLROptions& options = {});
};

}  // namespace espalier::optim
