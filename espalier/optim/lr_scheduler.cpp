#include <espalier/optim/lr_scheduler.h>

#include <cmath>
#include <numbers>

#include <espalier/core/error.h>
#include <espalier/optim/state_reader.h>

namespace espalier::optim {

LRScheduler::LRScheduler(const ScheduleRule& rule, Optimizer optimizer, Settings settings)
    : body_(Shared<Body>::make(Body{rule, std::move(optimizer), std::move(settings), {}, 0})) {
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
    if (g == b.base_lrs.size()) {  // a group seen for the first time
      groups[g].settings.add("initial_lr", groups[g]["lr"]);
      b.base_lrs.push_back(groups[g]["initial_lr"]);
    }
    groups[g]["lr"] = b.rule.lr(b.settings, b.base_lrs[g], b.last_epoch);
  }
}

std::vector<double> LRScheduler::get_last_lr() const {
  std::vector<double> out;
  for (auto& group : body().optimizer.param_groups()) out.push_back(group["lr"]);
  return out;
}

namespace {

io::Tree number(const std::string& name, double value) {
  bool counts = name == "step_size" || name == "T_max";
  return counts ? io::Tree(static_cast<int64_t>(value)) : io::Tree(value);
}

}  // namespace

io::Tree LRScheduler::state_dict() const {
  const Body& b = body();
  io::Tree out = io::Tree::dict();
  for (auto& [name, value] : b.settings) out.set(name, number(name, value));
  out.set("base_lrs", b.base_lrs);
  out.set("last_epoch", b.last_epoch);
  out.set("_step_count", b.last_epoch + 1);
  out.set("_is_initial", false);
  out.set("_get_lr_called_within_step", false);
  out.set("_last_lr", get_last_lr());
  return out;
}

void LRScheduler::load_state_dict(const io::Tree& saved) {
  StateReader reader(kind());
  int64_t last_epoch = reader.count(saved, "last_epoch");
  Settings settings = body().settings;
  for (auto& [name, value] : body().settings) settings[name] = reader.number(saved, name);
  std::vector<double> base_lrs = reader.numbers(saved, "base_lrs");
  size_t groups = body().base_lrs.size();
  if (base_lrs.size() != groups) {
    reader.problem(concat("base_lrs: saved of ", base_lrs.size(), " groups, here are ", groups));
  }
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
