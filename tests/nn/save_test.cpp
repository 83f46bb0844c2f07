#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/espalier.h>
#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>

#include <temporary_folder.h>

namespace espalier::nn {
namespace {

struct Tied : Module<Tied> {
  Linear zero{2, 2, {.bias = false}}, fc{2, 2};
  BatchNorm1d bn{2};

  Tied() { zero.weight.tie(fc.weight); }
  Tensor forward(const Tensor& x) { return bn(fc(zero(x))); }

 private:
  ESPALIER_FIELDS(Tied, zero, fc, bn)
};

TEST(Save, safetensors_are_marked_as_pytorchs_and_hold_a_shared_tensor_once) {
  TemporaryFolder folder;
  Tied model, again;
  model.save(folder / "model.safetensors");
  io::SafetensorsFile file(folder / "model.safetensors");
  EXPECT_EQ(file.metadata(), (io::Metadata{{"format", "pt"}, {"zero.weight", "fc.weight"}}));
  EXPECT_EQ(file.aliases().size(), 1u);
  LoadResult result = again.load(folder / "model.safetensors");
  EXPECT_TRUE(result.missing.empty());
  EXPECT_EQ(again.fc.weight.to_vector<float>(), model.fc.weight.to_vector<float>());
}

TEST(Save, several_files_and_their_index_are_one_model) {
  TemporaryFolder folder;
  Tied model, again;
  model.save(folder / "model.safetensors.index.json", {.max_shard_bytes = 20});
  EXPECT_TRUE(std::filesystem::exists(folder / "model-00001-of-00004.safetensors"));
  EXPECT_TRUE(again.load(folder / "model.safetensors.index.json").missing.empty());
  EXPECT_EQ(again.fc.weight.to_vector<float>(), model.fc.weight.to_vector<float>());
  EXPECT_EQ(again.bn.weight.to_vector<float>(), model.bn.weight.to_vector<float>());
  EXPECT_THROW(model.save(folder / "other.safetensors.index.json", {.max_shard_bytes = 0}), ValueError);
}

TEST(Save, a_checkpoint_holds_model_optimizer_schedule_and_values) {
  TemporaryFolder folder;
  Tied model, again;
  auto train = [](Tied& model, optim::Optimizer optimizer, optim::LRScheduler schedule) {
    for (int i = 0; i < 3; ++i) {
      manual_seed(static_cast<uint64_t>(i));
      optimizer.zero_grad();
      model(randn({4, 2})).square().sum().backward();
      optimizer.step();
      schedule.step();
    }
  };
  optim::Adam optimizer(model.parameters(), {.lr = 0.1});
  optim::StepLR schedule(optimizer, 2);
  train(model, optimizer, schedule);
  save({{"epoch", 3},
        {"model", model.state_dict()},
        {"optimizer", optimizer.state_dict()},
        {"schedule", schedule.state_dict()},
        {"note", "so far"}},
       folder / "last.pt");

  io::Tree checkpoint = load(folder / "last.pt");
  EXPECT_EQ(checkpoint["note"].text(), "so far");
  EXPECT_EQ(checkpoint["model"].versions, model.state_dict().versions);
  optim::Adam optimizer2(again.parameters());
  optim::StepLR schedule2(optimizer2, 9);
  again.load_state_dict(checkpoint["model"]);
  optimizer2.load_state_dict(checkpoint["optimizer"]);
  schedule2.load_state_dict(checkpoint["schedule"]);
  train(model, optimizer, schedule);
  train(again, optimizer2, schedule2);
  EXPECT_EQ(again.fc.weight.to_vector<float>(), model.fc.weight.to_vector<float>());
  EXPECT_EQ(again.bn.running_var.to_vector<float>(), model.bn.running_var.to_vector<float>());
  EXPECT_EQ(optimizer.param_groups()[0]["lr"], optimizer2.param_groups()[0]["lr"]);
}

TEST(Save, a_part_of_a_checkpoint_that_is_no_model_is_refused) {
  Tied model;
  optim::Adam optimizer(model.parameters());
  EXPECT_THROW(model.load_state_dict(optimizer.state_dict()), StateError);
  EXPECT_THROW(optimizer.load_state_dict(io::Tree(model.state_dict())), StateError);
}

}  // namespace
}  // namespace espalier::nn
