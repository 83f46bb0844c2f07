// Training steps of W1 to W4 on raw oneDNN. Usage: floor [winograd] [--smoke]
#include <omp.h>

#include <string_view>

#include "contestant.h"
#include "floor_net.h"

namespace {

bool winograd = false;

bench::Value vgg(bench::FloorNet& net, bench::Value x) {
  x = net.batch_norm(net.conv(x, 32, 3, 1, true, false), true);
  x = net.max_pool(net.batch_norm(net.conv(x, 32, 3, 1, true, false), true), 2);
  x = net.max_pool(net.batch_norm(net.conv(x, 64, 3, 1, true, false), true), 2);
  return net.linear(net.linear(x, 128, true), 10, false);
}

bench::Value block(bench::FloorNet& net, const bench::Value& x, int64_t out, int64_t stride) {
  auto [a, b] = net.fork(x);
  bench::Value y = net.batch_norm(net.conv(a, out, 3, stride, false, false), true);
  y = net.batch_norm(net.conv(y, out, 3, 1, false, false), false);
  if (stride != 1) b = net.batch_norm(net.conv(b, out, 1, stride, false, false), false);
  return net.add_relu(y, b);
}

bench::Value resnet18(bench::FloorNet& net, bench::Value x) {
  x = net.batch_norm(net.conv(x, 64, 3, 1, false, false), true);
  for (int64_t out : {64, 128, 256, 512}) {
    x = block(net, x, out, out == 64 ? 1 : 2);
    x = block(net, x, out, 1);
  }
  return net.linear(net.mean_pool(x, 4), 10, false);
}

// Empty where oneDNN has no kernel for this processor.
bench::Step prepare(const bench::Request& request) try {
  const std::string& work = request.work;
  bool small = work == "W1" || work == "W4";  // no convolution that has a Winograd variant
  if (!request.train() || work < "W1" || work > "W4" || (winograd && (small || request.bfloat16())))
    return {};
  omp_set_num_threads(request.threads);
  using type = dnnl::memory::data_type;
  auto net =
      std::make_shared<bench::FloorNet>(bench::Settings{.dtype = request.bfloat16() ? type::bf16 : type::f32,
                                                        .winograd = winograd,
                                                        .adam = work == "W2" || work == "W4"});
  bench::Value x = work == "W4" ? net->input({request.batch, 784}) : net->input({request.batch, 3, 32, 32});
  if (work == "W1") x = net->linear(net->conv(x, 32, 3, 1, true, true), 10, false);
  if (work == "W2") x = vgg(*net, x);
  if (work == "W3") x = resnet18(*net, x);
  if (work == "W4") x = net->linear(net->linear(net->linear(x, 512, true), 512, true), 10, false);
  net->finish(x);
  return [net] { net->train_step(); };
} catch (const dnnl::error&) {
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == std::string_view("winograd")) winograd = true, ++argv, --argc;
  return bench::serve(argc, argv, prepare);
}
