#include <cmath>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/train/run.h>

namespace espalier::train {

std::string to_json(const trace::Epoch& e) {
  auto number = [](const std::optional<double>& v) {
    return v ? nlohmann::ordered_json(*v) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json json = {{"epoch", e.epoch},
                                 {"step", e.step},
                                 {"train_loss", e.train_loss},
                                 {"train_accuracy", e.train_accuracy},
                                 {"val_loss", number(e.val_loss)},
                                 {"val_accuracy", number(e.val_accuracy)},
                                 {"lr", e.lr},
                                 {"seconds", e.seconds}};
  return json.dump();
}

trace::Epoch epoch_from_json(const std::string& line, const std::string& where) {
  try {
    nlohmann::json json = nlohmann::json::parse(line);  // whose keys are found in no time
    auto count = [&](const char* key) {
      const nlohmann::json& value = json.at(key);
      require<FileError>(value.is_number_integer(), where, ": `", key, "` is no whole number");
      return value.get<int64_t>();
    };
    // A loss that is not a number is written as null, which JSON has for it.
    auto real = [&](const char* key) {
      return json.at(key).is_null() ? std::nan("") : json.at(key).get<double>();
    };
    auto optional = [&](const char* key) {
      return json.at(key).is_null() ? std::nullopt : std::optional(json.at(key).get<double>());
    };
    return {.epoch = count("epoch"),
            .step = count("step"),
            .train_loss = real("train_loss"),
            .train_accuracy = real("train_accuracy"),
            .val_loss = optional("val_loss"),
            .val_accuracy = optional("val_accuracy"),
            .lr = real("lr"),
            .seconds = real("seconds")};
  } catch (const nlohmann::json::exception& e) {
    throw FileError(concat(where, ": not a line of metrics: ", e.what()));
  }
}

}  // namespace espalier::train
