#include <espalier/optim/lr_scheduler.h>

#include <cmath>
#include <numbers>

#include <espalier/core/error.h>
#include <espalier/optim/state_reader.h>

namespace espalier::optim {

LRScheduler::LRScheduler(const ScheduleRule& rule, Optimizer optimizer, Settings settings)
    : body_(std::make_shared<Body>(Body{rule, std::move(optimizer), std::move(settings), {}, 0})) {
  rule.check(body_->settings);
  set_rates();
}

LRScheduler::Body& LRScheduler::body() const {
  require<ValueError>(defined(), "the schedule is undefined: make one, such as optim::StepLR(optimizer, 10)");
  return *body_;
}

const char* LRScheduler::kind() const { return body().rule.kind; }
int64_t LRScheduler::last_epoch() const { return body().last_epoch; }

void LRScheduler::step() {
  ++body().last_epoch;
  set_rates();
}

void LRScheduler::set_rates() {
  Body& b = body();
  auto& groups = b.optimizer.param_groups();
  for (size_t g = 0; g < groups.size(); ++g) {
    if (g == b.base_lrs.size()) b.base_lrs.push_back(groups[g]["lr"]);  // a group seen for the first time
    groups[g]["lr"] = b.rule.lr(b.settings, b.base_lrs[g], b.last_epoch);
  }
}

std::vector<double> LRScheduler::get_last_lr() const {
  std::vector<double> out;
  for (auto& group : body().optimizer.param_groups()) out.push_back(group["lr"]);
  return out;
}

StateDict LRScheduler::state_dict() const {
  const Body& b = body();
  StateDict out{kind(), {}, {{"last_epoch", static_cast<double>(b.last_epoch)}}};
  for (auto& [name, value] : b.settings) out.values.emplace_back(name, value);
  for (size_t g = 0; g < b.base_lrs.size(); ++g)
    out.values.emplace_back(concat("base_lr.", g), b.base_lrs[g]);
  return out;
}

void LRScheduler::load_state_dict(const StateDict& saved) {
  StateReader reader(saved, kind());
  int64_t last_epoch = reader.count("last_epoch");
  Settings settings = body().settings;
  for (auto& [name, value] : body().settings) settings[name] = reader.value(name);
  std::vector<double> base_lrs;
  for (size_t g = 0; g < body().base_lrs.size(); ++g) base_lrs.push_back(reader.value(concat("base_lr.", g)));
  try {
    body().rule.check(settings);
  } catch (const ValueError& e) {
    reader.problem(e.what());
  }
  reader.finish();
  body().last_epoch = last_epoch;
  body().settings = std::move(settings);
  body().base_lrs = std::move(base_lrs);
  set_rates();
}

namespace {

double step_lr(const Settings& s, double base_lr, int64_t epoch) {
  auto drops = epoch / static_cast<int64_t>(s["step_size"]);
  return base_lr * std::pow(s["gamma"], static_cast<double>(drops));
}

double cosine_lr(const Settings& s, double base_lr, int64_t epoch) {
  double phase = std::numbers::pi * static_cast<double>(epoch) / s["T_max"];
  return s["eta_min"] + (base_lr - s["eta_min"]) * (1 + std::cos(phase)) / 2;
}

void check_step(const Settings& s) {
  require<ValueError>(s["step_size"] >= 1, "StepLR: step_size must be 1 or more, got ", s["step_size"]);
}

void check_cosine(const Settings& s) {
  require<ValueError>(s["T_max"] >= 1, "CosineAnnealingLR: T_max must be 1 or more, got ", s["T_max"]);
}

constexpr ScheduleRule kStep{"StepLR", step_lr, check_step};
constexpr ScheduleRule kCosine{"CosineAnnealingLR", cosine_lr, check_cosine};

}  // namespace

StepLR::StepLR(Optimizer optimizer, int64_t step_size, const StepLROptions& o)
    : LRScheduler(kStep, std::move(optimizer),
                  {{"step_size", static_cast<double>(step_size)}, {"gamma", o.gamma}}) {}

CosineAnnealingLR::CosineAnnealingLR(Optimizer optimizer, int64_t T_max, const CosineAnnealingLROptions& o)
    : LRScheduler(kCosine, std::move(optimizer),
                  {{"T_max", static_cast<double>(T_max)}, {"eta_min", o.eta_min}}) {}

}  // namespace espalier::optim
