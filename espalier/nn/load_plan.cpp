#include <espalier/nn/load_plan.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/record.h>
#include <espalier/core/error.h>
#include <espalier/core/threads.h>
#include <espalier/io/file.h>
#include <espalier/nn/key_names.h>
#include <espalier/ops/creation.h>

namespace espalier::nn::detail {
namespace {

// To the bit, so that NaN equals itself. The shapes are the same.
bool same_values(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) return false;
  Array x = a.detach().contiguous().array(), y = b.detach().contiguous().array();
  if (x.numel() == 0 || x.data() == y.data()) return true;
  return std::memcmp(x.data(), y.data(), static_cast<size_t>(x.bytes())) == 0;
}

// The same as copy_ for values that need no conversion, from the file itself.
void read_into(Tensor& to, const Tensor& from) {
  constexpr size_t kPart = 1 << 20;  // bytes
  auto run = [&] {
    auto* target = static_cast<std::byte*>(to.array().data());
    std::span source(static_cast<const std::byte*>(from.array().data()),
                     static_cast<size_t>(to.array().bytes()));
    std::atomic<size_t> next{0};  // who is ahead takes the next part
    auto work = [&](int64_t, int64_t) {
      for (size_t at; (at = next.fetch_add(kPart)) < source.size();)
        io::copy_out(source.subspan(at, std::min(kPart, source.size() - at)), target + at);
    };
    source.size() > kPart ? parallel_for(get_num_threads(), 1, work) : work(0, 1);
  };
  record_write("copy_", to, {to, from}, {}, run, [](const Tensor& g) { return grads(zeros_like(g), g); });
}

// No more than a part of a mapped file is in memory.
void copy(Tensor to, const Tensor& from, bool once) {
  constexpr int64_t kPart = 1 << 22;
  if (!once || !to.is_contiguous() || !from.is_contiguous()) return void(to.copy_(from));
  bool as_it_is = to.dtype() == from.dtype() && to.dtype() != DType::boolean;  // a bool may have been mended
  if (as_it_is && to.numel() > 0) return read_into(to, from);
  Tensor target = to.flatten(), source = from.flatten();
  for (int64_t at = 0; at < source.numel(); at += kPart) {
    Tensor part = source.narrow(0, at, std::min(kPart, source.numel() - at));
    target.narrow(0, at, part.numel()).copy_(part);
    const Array& a = part.array();
    io::forget({static_cast<const std::byte*>(a.data()), static_cast<size_t>(a.bytes())});
  }
}

std::string listed(const char* title, const std::vector<std::string>& lines) {
  std::string out = lines.empty() ? "" : concat("\n  ", title, ":");
  for (auto& line : lines) out += concat("\n    ", printable(line));
  return out;
}

}  // namespace

LoadPlan::LoadPlan(ModuleRef module, std::vector<StateItem> state, const LoadOptions& options)
    : module_(module), options_(options), model_(module.state_dict()), items_(std::move(state)) {
  sort_names();
  for (auto& [name, mine] : model_) {
    auto theirs = state_.find(name);
    if (theirs != state_.end()) match(name, mine, *theirs->second);
  }
  find_missing();
}

void LoadPlan::sort_names() {
  std::vector<std::string> names;
  std::set<std::string, std::less<>> wanted;
  for (auto& item : items_) names.push_back(item.name);
  for (auto& [name, mine] : model_) wanted.insert(name);
  KeyNames found = key_names(names, wanted, options_);
  result_.prefix = found.prefix;
  for (size_t i = 0; i < items_.size(); ++i) {
    auto& name = found.names[i];
    if (!name) {
      result_.outside.push_back(names[i]);
      continue;
    }
    if (!wanted.contains(*name)) result_.unexpected.push_back(names[i]);
    state_.emplace(*name, &items_[i]);
  }
}

void LoadPlan::match(const std::string& name, const Tensor& mine, const StateItem& theirs) {
  if (mine.shape() != theirs.shape && options_.ignore_mismatched_sizes)
    return result_.mismatched.push_back(name);
  if (mine.shape() != theirs.shape || !theirs.values) {
    misfits_.push_back(concat(name, ": ", mine.dtype(), " ", mine.shape(), " in the model, ", theirs.dtype,
                              " ", theirs.shape, " in the state"));
    return;
  }
  if (theirs.dtype == "uint64") {  // the only one with values that may have no place here
    try {
      theirs.values();
    } catch (const DTypeError& e) {
      return misfits_.push_back(concat(name, ": ", e.message()));
    }
  }
  ++result_.loaded;
  if (theirs.dtype != espalier::name(mine.dtype())) result_.converted.push_back(name);
  auto [place, first] = sources_.try_emplace(mine.body(), Source{name, &theirs});
  const Source& known = place->second;
  if (!first && known.item != &theirs && !same_values(known.item->values(), theirs.values())) {
    misfits_.push_back(
        concat(name, ": one tensor with ", known.name, " in the model, other values in the state"));
  }
}

// A tied tensor needs one of its names. PyTorch before 0.4.1 did not count the batches of its normalisations.
void LoadPlan::find_missing() {
  constexpr std::string_view kCount = "num_batches_tracked";
  for (auto& [name, mine] : model_) {
    if (state_.contains(name) || sources_.count(mine.body())) continue;
    bool count = name.ends_with(kCount);
    if (count && state_.contains(name.substr(0, name.size() - kCount.size()) + "running_mean")) continue;
    result_.missing.push_back(name);
  }
}

void LoadPlan::check() const {
  bool names_fit = result_.missing.empty() && result_.unexpected.empty();
  if (misfits_.empty() && (!options_.strict || names_fit)) return;
  std::string text = concat("the state does not fit ", module_.kind(), "; nothing was loaded");
  if (!result_.prefix.empty())
    text += concat("\n  the state's names begin with '", printable(result_.prefix), "'");
  text += listed("missing from the state", result_.missing);
  text += listed("not in the model", result_.unexpected);
  text += listed("different", misfits_);
  throw StateError(text + advice());
}

// What may make the names fit: a prefix on one side, or another word for the same.
std::string LoadPlan::advice() const {
  for (auto& missing : result_.missing) {
    for (auto& extra : result_.unexpected) {
      if (extra.ends_with("." + missing)) {
        std::string prefix = extra.substr(0, extra.size() - missing.size());
        return concat("\n  the model's names stand in the state behind '", printable(prefix),
                      "': load with {.prefix = \"", printable(prefix), "\"}");
      }
      if (missing.ends_with("." + extra)) {
        return concat("\n  '", printable(extra), "' of the state is '", missing,
                      "' of the model: load the state into the member '",
                      missing.substr(0, missing.size() - extra.size() - 1), "'");
      }
    }
  }
  for (auto& missing : result_.missing) {
    const StateItem* only = nullptr;
    size_t fitting = 0;
    for (auto& [name, item] : state_) {
      bool fits = !model_.contains(name) && item->shape == model_[missing].shape() &&
                  missing.substr(missing.rfind('.') + 1) == name.substr(name.rfind('.') + 1);
      if (fits && ++fitting) only = item;
    }
    if (fitting != 1) continue;
    Rename rule = rename_of(only->name, missing);
    return concat("\n  if '", printable(only->name), "' is '", missing, "', load with {.rename = {{\"",
                  printable(rule.from), "\", \"", rule.to, "\"}}}");
  }
  return misfits_.empty() ? "\n  {.strict = false} loads what fits" : "";
}

LoadResult LoadPlan::load() {
  check();
  NoGrad guard;
  for (auto& [body, source] : sources_) {
    copy(Tensor(Ref<TensorBody>(body)), source.item->values(), source.item->once);
  }
  return std::move(result_);
}

}  // namespace espalier::nn::detail
