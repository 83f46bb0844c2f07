#include <algorithm>

#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/explain.h>
#include <espalier/view/quiz_kinds.h>

// Questions about the model.
namespace espalier::view::quiz_kinds {
namespace {

struct Layer {
  std::string path, kind;
  int64_t values = 0;  // in its own parameters
  Shape weight;
  bool bias = false;
};

void collect(const trace::Structure& module, std::vector<Layer>& out) {
  Layer layer{.path = module.path, .kind = module.kind, .weight = {}};
  for (const trace::ParameterInfo& p : module.parameters) {
    if (!p.same_as.empty()) continue;
    layer.values += p.shape.numel();
    if (p.name.ends_with("weight")) layer.weight = p.shape;
    if (p.name.ends_with("bias")) layer.bias = true;
  }
  if (layer.values > 0) out.push_back(layer);
  for (const trace::Structure& child : module.children) collect(child, out);
}

std::vector<Layer> layers_of(const RunData& run) {
  std::vector<Layer> out;
  collect(run.structure, out);
  return out;
}

std::string with_kind(const trace::Call& call) {
  std::string name = stage_name(call);
  return name == call.kind ? name : concat(name, " (", call.kind, ")");
}

std::string percent(double share) { return text::fixed(100 * share, 1) + " %"; }

// Shapes that one might take for `out`.
std::vector<std::string> like(const Shape& in, const Shape& out) {
  std::vector<Shape> wrong;
  auto with = [&](auto change) {
    Shape s = out;
    change(s);
    wrong.push_back(s);
  };
  if (out.rank() == 4) {
    with([](Shape& s) { s[2] -= 2, s[3] -= 2; });                  // as if there were no padding
    with([&](Shape& s) { s[1] = in.rank() > 1 ? in[1] : s[1]; });  // as if channels stayed
    with([](Shape& s) { s = {s[0], s[2], s[3], s[1]}; });          // channels last
    with([](Shape& s) { s[2] = (s[2] + 1) / 2, s[3] = (s[3] + 1) / 2; });
    with([](Shape& s) { s[1] *= 2; });
  } else if (out.rank() == 2) {
    with([](Shape& s) { std::swap(s[0], s[1]); });
    with([&](Shape& s) { s[1] = in.back(); });
    if (in.rank() == 4) wrong.push_back({in[0], in[1], in[2] * in[3]});
    with([](Shape& s) { s = {s[1]}; });
    with([](Shape& s) { s[1] += 1; });
    with([](Shape& s) { s[1] *= 2; });
  } else {
    with([&](Shape& s) { s = in; });
    with([](Shape& s) { std::swap(s[0], s[s.rank() - 1]); });
    with([](Shape& s) { s[s.rank() - 1] += 1; });
    with([](Shape& s) { s[s.rank() - 1] *= 2; });
  }
  std::vector<std::string> texts;
  for (const Shape& s : wrong) {
    if (std::all_of(s.begin(), s.end(), [](int64_t d) { return d > 0; })) texts.push_back(to_string(s));
  }
  return texts;
}

std::vector<std::string> counts_like(const Layer& l) {
  int64_t out = l.weight.empty() ? 0 : l.weight[0], n = l.values, weights = l.weight.numel();
  std::vector<int64_t> wrong;
  if (l.bias) wrong.push_back(weights);  // bias forgotten
  else wrong.push_back(weights + out);
  if (l.weight.rank() == 4) {
    wrong.push_back(weights / std::max<int64_t>(l.weight[1], 1) + out);  // channels forgotten
    wrong.push_back(out * l.weight[1] + out);                            // kernel size forgotten
  } else if (l.weight.rank() == 2) {
    wrong.push_back(weights + l.weight[1]);  // a bias for each input
    wrong.push_back(out + l.weight[1]);
  }
  for (int64_t other : {2 * n, n + 1, n / 2}) wrong.push_back(other);
  std::vector<std::string> texts;
  for (int64_t w : wrong) {
    if (w > 0) texts.push_back(text::grouped(w));
  }
  return texts;
}

std::string count_in_words(const Layer& l) {
  std::string product;
  for (int64_t d : l.weight) product += concat(product.empty() ? "" : " × ", d);
  std::string words =
      concat("The weight of ", l.path, " has ", product, " = ", text::grouped(l.weight.numel()), " values");
  if (l.bias) words += concat(", and there is a bias of ", l.values - l.weight.numel(), " more");
  return words + concat(": ", text::grouped(l.values), " in all.");
}

void ask_where_most_are(Questions& out, const RunData& run, const std::vector<Layer>& layers,
                        Generator& random) {
  auto total = static_cast<double>(run.structure.num_parameters());
  auto most = std::ranges::max_element(layers, {}, &Layer::values);
  double share = static_cast<double>(most->values) / total;
  add(out, random,
      concat("What share of the model's ", text::grouped(run.structure.num_parameters()),
             " parameters is in ", most->path, " (", most->kind, ")?"),
      percent(share),
      {percent(share / 2), percent(1 - share), percent(1.0 / static_cast<double>(layers.size())),
       percent(share * share * 0.8)},
      concat(most->path, " holds ", text::grouped(most->values), " of ",
             text::grouped(run.structure.num_parameters()), " parameters, ", percent(share),
             ", though it is one of ", layers.size(), " modules that have any."));
}

}  // namespace

Questions shapes(const RunData& run, Generator& random) {
  Questions out;
  for (int64_t number : trace::stages(run.record)) {
    const trace::Call& call = run.record.calls[number];
    if (call.inputs.empty() || call.outputs.empty()) continue;
    const Shape& in = run.record.tensors[call.inputs[0]].shape;
    const Shape& to = run.record.tensors[call.outputs[0]].shape;
    if (to.rank() < 2 || call.kind == "cross_entropy") continue;
    add(out, random,
        concat("A batch of the shape ", in, " goes into ", with_kind(call), ". What shape comes out?"),
        to_string(to), like(in, to),
        concat(stage_name(call), ": ", what_happens(run.record, number), ". So ", in, " becomes ", to, ", ",
               Reading(run.record).meaning(to, Role::inner), "."));
  }
  return out;
}

Questions parameters(const RunData& run, Generator& random) {
  Questions out;
  auto layers = layers_of(run);
  for (const Layer& l : layers) {
    if (l.weight.rank() < 2) continue;
    add(out, random, concat("How many parameters does ", l.path, " (", l.kind, ") have?"),
        text::grouped(l.values), counts_like(l), count_in_words(l));
  }
  if (layers.size() > 1) ask_where_most_are(out, run, layers, random);
  return out;
}

Questions arithmetic(const RunData& run, Generator& random) {
  Questions out;
  std::vector<std::string> others;
  double total = 0;
  const trace::Call* most = nullptr;
  for (int64_t number : trace::stages(run.record)) {
    const trace::Call& call = run.record.calls[number];
    total += call.flops;
    if (!most || call.flops > most->flops) most = &call;
  }
  if (!most || total <= 0) return out;
  for (int64_t number : trace::stages(run.record)) {
    const trace::Call& call = run.record.calls[number];
    if (call.flops < most->flops) others.push_back(with_kind(call));
  }
  for (size_t i = others.size(); i > 1; --i) std::swap(others[i - 1], others[random.u64() % i]);
  add(out, random, "Which stage does most of the arithmetic of a forward?", with_kind(*most), others,
      concat(
          stage_name(*most), " does ", percent(most->flops / total),
          " of all multiplications and additions of a batch's forward: every output value is a sum of many "
          "products."));
  return out;
}

Questions grouping(const RunData& run, Generator& random) {
  Questions out;
  auto layers = layers_of(run);
  if (layers.empty()) return out;
  std::string first = layers.front().path.empty() ? "weight" : layers.front().path + ".weight";
  add(out, random, concat("Why are the layers of ", run.structure.kind, " grouped in one module at all?"),
      "So that one name stands for all of them: one call runs them, one call finds their parameters",
      {"So that they share their weights, which makes the model smaller",
       "So that their products are computed as one, which makes the model faster",
       "So that gradients stay inside the group and can't reach other layers"},
      concat("Grouping changes no figure. It makes a tree: model(x) runs all of it, parameters() finds all ",
             text::grouped(run.structure.num_parameters()), " values in ", layers.size(),
             " modules for the optimizer, and save() writes them under names such as ", first,
             ". Weights are shared only where they are tied, and gradients flow through modules freely."));
  return out;
}

}  // namespace espalier::view::quiz_kinds
