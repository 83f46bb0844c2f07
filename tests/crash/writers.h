#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <espalier/core/text.h>
#include <espalier/io/checkpoint.h>
#include <espalier/io/npy.h>
#include <espalier/io/safetensors.h>
#include <espalier/io/weights.h>
#include <espalier/train/run.h>

namespace espalier {

// Arrays that tell by every value which turn wrote them.
inline std::vector<io::NamedArray> arrays_of(int turn) {
  std::vector<io::NamedArray> out;
  for (int64_t size : {1, 1000, 200000}) {
    Array a = Array::empty({size}, DType::int64);
    std::fill_n(a.data<int64_t>(), size, turn);
    out.push_back({concat("a", size), a});
  }
  return out;
}

// The turn that wrote a file; all of it must be of one.
inline int turn_of(const std::vector<io::NamedArray>& arrays) {
  EXPECT_EQ(arrays.size(), 3u);
  int64_t turn = arrays.at(0).array.data<int64_t>()[0];
  for (auto& [name, a] : arrays) {
    for (int64_t i = 0; i < a.numel(); ++i) {
      if (a.data<int64_t>()[i] != turn) ADD_FAILURE() << name << " is of two turns";
    }
  }
  return static_cast<int>(turn);
}

inline const train::Settings kSettings{.model = "net", .image = {}, .classes = {}};

// What a child writes over and over, and the turn that what is there is from.
struct Writer {
  const char* name;
  std::function<void(const std::string& path, int turn)> write;
  std::function<int(const std::string& path)> read;
};

inline const Writer kWriters[] = {
    {"safetensors", [](auto& path, int turn) { io::write_safetensors(path, arrays_of(turn)); },
     [](auto& path) { return turn_of(io::read_safetensors(path).arrays); }},
    {"pytorch",
     [](auto& path, int turn) {
       io::Tree model = io::Tree::dict();
       for (auto& [name, array] : arrays_of(turn)) model.set(name, array);
       save({{"epoch", turn}, {"model", model}}, path);
     },
     [](auto& path) {
       std::vector<io::NamedArray> arrays;
       io::Tree tree = load(path);
       for (auto& [name, t] : tree["model"].entries())
         arrays.push_back({io::Tree::key_text(name), t.array()});
       EXPECT_EQ(tree["epoch"].integer(), turn_of(arrays));
       return turn_of(arrays);
     }},
    {"npz", [](auto& path, int turn) { io::write_npz(path, arrays_of(turn)); },
     [](auto& path) { return turn_of(io::read_npz(path)); }},
    {"shards",
     [](auto& path, int turn) {
       std::filesystem::create_directory(path);
       io::write_safetensors_shards(path + "/x.safetensors.index.json", arrays_of(turn), 800'000);
     },
     [](auto& path) {
       auto arrays = io::read_weights(path + "/x.safetensors.index.json");
       std::ranges::rotate(arrays, std::ranges::find(arrays, std::string("a1"), &io::NamedArray::name));
       return turn_of(arrays);
     }},
    {"run",
     [](auto& path, int turn) {
       train::Run run = turn == 0 ? train::Run::create(path, kSettings, "data") : train::Run::open(path);
       io::write_safetensors(run.file("weights.safetensors"), arrays_of(turn));
       run.append({.epoch = turn, .lr = 0.1});
     },
     [](auto& path) {
       train::Run run = train::Run::open(path);
       EXPECT_EQ(run.settings().model, "net");
       trace::History history = run.history();
       for (size_t i = 1; i < history.size(); ++i) EXPECT_LT(history[i - 1].epoch, history[i].epoch);
       int turn = turn_of(io::read_safetensors(run.file("weights.safetensors")).arrays);
       EXPECT_LE(history.back().epoch, turn);
       return turn;
     }},
};

}  // namespace espalier
