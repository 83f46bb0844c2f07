#pragma once

#include <set>

#include <espalier/nn/state_dict.h>

// How a state's names become those of a model.
namespace espalier::nn::detail {

struct KeyNames {
  std::vector<std::optional<std::string>>
      names;  // of the state's tensors; none for what lies outside the prefix
  std::string prefix;
};

// Throws StateError where the model's names stand behind two prefixes, and where renaming makes one name of
// two.
KeyNames key_names(const std::vector<std::string>& state, const std::set<std::string, std::less<>>& model,
                   const LoadOptions& options);

std::string renamed(std::string_view name, const Rename& rule);

// The longest common ending of two names in whole parts is taken off: "linear.weight" and "fc.weight" give
// "linear" and "fc".
Rename rename_of(std::string_view from, std::string_view to);

}  // namespace espalier::nn::detail
