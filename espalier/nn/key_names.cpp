#include <espalier/nn/key_names.h>

#include <algorithm>
#include <map>

#include <espalier/core/error.h>

namespace espalier::nn::detail {
namespace {

using Names = std::vector<std::string>;
using Parts = std::vector<std::string_view>;

// What wrappers put in front of a model's names, and the keys under which checkpoints keep a model.
constexpr std::string_view kKnown[] = {"module",     "_orig_mod",        "model",      "net", "network",
                                       "state_dict", "model_state_dict", "model_state"};
constexpr std::string_view kWrappers[] = {"module", "_orig_mod"};

Parts parts_of(std::string_view name) {
  Parts out;
  for (size_t end; (end = name.find('.')) != name.npos; name.remove_prefix(end + 1)) {
    out.push_back(name.substr(0, end));
  }
  out.push_back(name);
  return out;
}

std::string joined(const Parts& parts) {
  std::string out;
  for (std::string_view part : parts) out += concat(out.empty() ? "" : ".", part);
  return out;
}

template <class List>
bool contains(const List& list, std::string_view part) {
  return std::ranges::find(list, part) != std::end(list);
}

bool is_known(std::string_view prefix) {
  Parts parts = parts_of(prefix.substr(0, prefix.size() - 1));
  return std::ranges::all_of(parts, [](std::string_view part) { return contains(kKnown, part); });
}

// How many of the model's names stand behind each prefix.
std::map<std::string, size_t> prefixes(const Names& state, const std::set<std::string, std::less<>>& model) {
  std::map<std::string, size_t> out;
  for (const std::string& name : state) {
    size_t at = 0;
    do {
      if (model.contains(std::string_view(name).substr(at))) ++out[name.substr(0, at)];
      at = name.find('.', at) + 1;
    } while (at > 0);
  }
  return out;
}

std::string found_prefix(const Names& state, const std::set<std::string, std::less<>>& model) {
  auto counts = prefixes(state, model);
  if (counts.contains("")) return "";
  std::string best, second;
  for (const auto& [prefix, count] : counts) {
    if (!is_known(prefix)) continue;
    if (best.empty() || count > counts[best]) best = prefix, second = "";
    else if (count == counts[best]) second = prefix;
  }
  require<StateError>(second.empty(), "the names of the model stand in the state behind '", printable(best),
                      "' and behind '", printable(second), "'; say which with {.prefix = …}");
  return best;
}

// The part of a prefix that a checkpoint added: what lies outside of it is no part of the model, while what
// lies outside of a wrapper is unexpected.
std::string_view place_of(std::string_view prefix) {
  while (!prefix.empty()) {
    size_t begin = prefix.rfind('.', prefix.size() - 2) + 1;
    if (!contains(kWrappers, prefix.substr(begin, prefix.size() - 1 - begin))) break;
    prefix = prefix.substr(0, begin);
  }
  return prefix;
}

}  // namespace

std::string renamed(std::string_view name, const Rename& rule) {
  Parts parts = parts_of(name), from = parts_of(rule.from), stars;
  auto fits = [&](std::string_view part, std::string_view wanted) { return wanted == "*" || part == wanted; };
  auto place = std::search(parts.begin(), parts.end(), from.begin(), from.end(), fits);
  if (place == parts.end()) return std::string(name);
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] == "*") stars.push_back(place[static_cast<ptrdiff_t>(i)]);
  }
  Parts to = rule.to.empty() ? Parts() : parts_of(rule.to);
  size_t star = 0;
  for (std::string_view& part : to) {
    if (part == "*") part = star < stars.size() ? stars[star++] : part;
  }
  Parts out(parts.begin(), place);
  out.insert(out.end(), to.begin(), to.end());
  out.insert(out.end(), place + static_cast<ptrdiff_t>(from.size()), parts.end());
  return joined(out);
}

KeyNames key_names(const Names& state, const std::set<std::string, std::less<>>& model,
                   const LoadOptions& options) {
  KeyNames out;
  Names names = state;
  std::string given = options.prefix.value_or("");
  if (!given.empty() && !given.ends_with('.')) given += '.';
  for (std::string& name : names) {
    bool outside = !name.starts_with(given);
    if (!outside) name.erase(0, given.size());
    for (const Rename& rule : options.rename) name = renamed(name, rule);
    out.names.push_back(outside ? std::nullopt : std::optional(name));
  }
  out.prefix = options.prefix ? given : found_prefix(names, model);
  std::string found = options.prefix ? "" : out.prefix;
  std::string_view place = place_of(found);
  std::map<std::string_view, size_t> sources;
  for (size_t i = 0; i < state.size(); ++i) {
    auto& name = out.names[i];
    if (name && !name->starts_with(place)) name.reset();
    else if (name && name->starts_with(found)) name->erase(0, found.size());
    if (!name) continue;
    auto [known, is_new] = sources.emplace(*name, i);
    require<StateError>(is_new, "two tensors of the state would be '", printable(*name),
                        "': ", printable(state[known->second]), " and ", printable(state[i]));
  }
  return out;
}

Rename rename_of(std::string_view from, std::string_view to) {
  Parts a = parts_of(from), b = parts_of(to);
  while (a.size() > 1 && b.size() > 1 && a.back() == b.back()) a.pop_back(), b.pop_back();
  return {joined(a), joined(b)};
}

}  // namespace espalier::nn::detail
