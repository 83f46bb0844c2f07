#include <gtest/gtest.h>

#include <espalier/autograd/autocast.h>
#include <espalier/autograd/grad_mode.h>
#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>

#include "error_of.h"

namespace espalier::test {
namespace {

TEST(LSTM, tells_what_does_not_fit) {
  nn::LSTM lstm{3, 4, {.num_layers = 2}};
  EXPECT_EQ(error_of([&] {
              lstm(zeros({5, 2, 7}));
            }),
            "LSTM: expected 3 input features, got 7; the input is [5, 2, 7]");
  EXPECT_EQ(error_of([&] { lstm(zeros({3})); }),
            "LSTM: expected an input of 2 to 3 dimensions, got 1; the input is [3]");
  EXPECT_EQ(error_of([&] {
              lstm(zeros({5, 2, 3}), std::pair{zeros({1, 2, 4}), zeros({1, 2, 4})});
            }),
            "LSTM: expected a state [2, 2, 4] for the input [5, 2, 3], got [1, 2, 4]");
  EXPECT_EQ(error_of([&] {
              lstm(zeros({0, 2, 3}));
            }),
            "LSTM: lstm: the sequence has no steps, got [0, 2, 3]");
  EXPECT_EQ(error_of([&] {
              lstm(zeros({5, 2, 3}), std::pair{zeros({2, 2, 4}), Tensor()});
            }),
            "LSTM: expected a state of h and c, got one of them");
}

TEST(MultiheadAttention, tells_what_does_not_fit) {
  nn::MultiheadAttention attention{6, 2, {.batch_first = true}};
  Tensor x = zeros({3, 4, 6});
  EXPECT_EQ(error_of([&] {
              attention(x, zeros({2, 4, 6}), zeros({2, 4, 6}));
            }),
            "MultiheadAttention: expected one key for each value and as many in the batch, got the query [3, "
            "4, 6], the key [2, 4, 6] "
            "and the value [2, 4, 6]");
  EXPECT_EQ(error_of([&] {
              attention(x, x, zeros({3, 4, 5}));
            }),
            "MultiheadAttention: expected 6 features of the value, got 5; the input is [3, 4, 5]");
  EXPECT_EQ(error_of([&] {
              attention(x, x, x, nn::Attend{.attn_mask = zeros({4, 5})});
            }),
            "MultiheadAttention: expected an attn_mask [4, 4] or [6, 4, 4], got [4, 5]");
  EXPECT_EQ(error_of([&] {
              attention(x, x, x, nn::Attend{.key_padding_mask = zeros({4, 3})});
            }),
            "MultiheadAttention: expected a key_padding_mask [3, 4], got [4, 3]");
  EXPECT_EQ(error_of([&] { attention(x, x, x, nn::Attend{.is_causal = true}); }),
            "MultiheadAttention: is_causal is a promise about attn_mask: pass the mask too");
}

TEST(SequenceLayers, refuse_settings_that_make_no_sense) {
  EXPECT_EQ(error_of([] { nn::LSTM{0, 4}; }), "LSTM: input_size must be at least 1, got 0");
  EXPECT_EQ(error_of([] { nn::GRU{2, 4, {.dropout = 2}}; }), "GRU: dropout is 2, it must be in [0, 1]");
  EXPECT_EQ(error_of([] {
              nn::RNN{2, 4, {.nonlinearity = "gelu"}};
            }),
            "RNN: nonlinearity is 'tanh' or 'relu', got 'gelu'");
  EXPECT_EQ(error_of([] {
              nn::MultiheadAttention{6, 4};
            }),
            "MultiheadAttention: embed_dim 6 can't be divided into 4 heads");
  EXPECT_EQ(error_of([] {
              nn::TransformerEncoder{nn::TransformerEncoderLayer{4, 2}, 0};
            }),
            "TransformerEncoder: num_layers must be at least 1, got 0");
}

TEST(LSTM, goes_on_from_a_state) {
  manual_seed(2);
  nn::LSTM lstm{3, 5, {.num_layers = 2}};
  NoGrad guard;
  Tensor x = randn({6, 2, 3});
  auto [whole, end] = lstm(x);
  auto [first, middle] = lstm(x.slice(0, 0, 4));
  auto [second, same_end] = lstm(x.slice(0, 4, 6), middle);
  EXPECT_EQ(cat({first, second}).to_vector<float>(), whole.to_vector<float>());
  EXPECT_EQ(same_end.second.to_vector<float>(), end.second.to_vector<float>());
}

TEST(LSTM, drops_between_layers_while_training) {
  nn::LSTM lstm{3, 5, {.num_layers = 2, .dropout = 0.5}};
  Tensor x = randn({4, 2, 3});
  auto run = [&] {
    manual_seed(1);
    Tensor y = lstm(x).first;
    return y.to_vector<float>();
  };
  auto trained = run();
  lstm.eval();
  auto evaluated = run();
  EXPECT_NE(trained, evaluated);
  lstm.train();
  EXPECT_EQ(run(), trained);
}

TEST(TransformerEncoder, has_layers_of_its_own) {
  manual_seed(2);
  nn::TransformerEncoderLayer layer{4, 2, {.dim_feedforward = 5, .dropout = 0}};
  nn::TransformerEncoder encoder{layer, 2};
  encoder.layers[0].linear1.weight.detach().zero_();
  EXPECT_NE(encoder.layers[1].linear1.weight.to_vector<float>(), std::vector<float>(20, 0.0f));
  EXPECT_EQ(encoder.layers[1].linear1.weight.to_vector<float>(), layer.linear1.weight.to_vector<float>());
}

TEST(TransformerEncoder, drops_while_training) {
  nn::TransformerEncoder encoder{nn::TransformerEncoderLayer{4, 2, {.dim_feedforward = 5}}, 2};
  Tensor x = randn({3, 2, 4});
  EXPECT_NE(encoder(x).to_vector<float>(), encoder(x).to_vector<float>());
  encoder.eval();
  EXPECT_EQ(encoder(x).to_vector<float>(), encoder(x).to_vector<float>());
}

TEST(SequenceLayers, find_their_shapes_without_data) {
  nn::TransformerEncoder encoder{nn::TransformerEncoderLayer{8, 2, {.batch_first = true}}, 2};
  EXPECT_EQ(encoder.check({3, 5, 8}), Shape({3, 5, 8}));
  struct Tagger : nn::Module<Tagger> {
    nn::LSTM lstm{8, 4, {.bidirectional = true}};
    nn::GRU gru{8, 3};
    Tensor forward(const Tensor& x) { return gru(lstm(x).first).first; }
  } tagger;
  EXPECT_EQ(tagger.check({5, 3, 8}), Shape({5, 3, 3}));
}

TEST(SequenceLayers, work_under_autocast) {
  manual_seed(3);
  nn::LSTM lstm{8, 8};
  nn::GRU gru{8, 8};
  nn::MultiheadAttention attention{8, 2, {.add_bias_kv = true}};
  nn::TransformerEncoder encoder{nn::TransformerEncoderLayer{8, 2, {.dropout = 0}}, 1};
  nn::Linear linear{8, 8};
  auto run = [&] {
    Tensor mask = nn::generate_square_subsequent_mask(4), x = linear(full({4, 2, 8}, 0.3));
    x = gru(lstm(x).first).first;
    x = encoder(linear(x), nn::Encode{.mask = mask});
    x = attention(x, x, x, nn::Attend{.attn_mask = mask}).first;
    x.sum().backward();
    return x.to_vector<float>();
  };
  auto exact = run();
  Autocast scope;
  auto near = run();
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(near[i], exact[i], 0.05);
}

TEST(SequenceLayers, work_in_bfloat16) {
  manual_seed(3);
  nn::LSTM lstm{8, 16};
  nn::MultiheadAttention attention{8, 2};
  Tensor x = randn({4, 2, 8});
  auto exact = lstm(x).first.to_vector<float>();
  auto heads = attention(x, x, x, nn::Attend{.need_weights = false}).first.to_vector<float>();
  lstm.to(bfloat16), attention.to(bfloat16);
  Tensor rough = x.to(bfloat16);
  auto near = lstm(rough).first.to_vector<float>();
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(near[i], exact[i], 0.02);
  auto heads_near =
      attention(rough, rough, rough, nn::Attend{.need_weights = false}).first.to_vector<float>();
  for (size_t i = 0; i < heads.size(); ++i) EXPECT_NEAR(heads_near[i], heads[i], 0.05);
}

}  // namespace
}  // namespace espalier::test
