#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <espalier/io/value.h>

namespace espalier::cli {

// What a checkpoint holds beside tensors: null where that is nothing. Objects have their class under "class".
nlohmann::ordered_json plain_values(const io::Value& root);

// The same as lines of a name and a value, as Python writes it: "optimizer.param_groups[0].lr", "0.1".
std::vector<std::pair<std::string, std::string>> value_lines(const io::Value& root);

}  // namespace espalier::cli
