#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <espalier/autograd/node.h>
#include <espalier/autograd/record.h>
#include <espalier/core/deferred.h>
#include <espalier/kernels/elementwise.h>

namespace espalier {
namespace {

// Walks the tape from results to inputs. Nodes are run in the reverse order of their creation, so that a node
// runs when all that used its output have run.
class Walk {
 public:
  Walk(bool retain, bool create_graph) : retain_(retain), create_graph_(create_graph) {}

  // Only gradients of these are computed and kept in `found`; leaves' own gradients are left alone.
  void aim_at(const std::vector<Tensor>& inputs) {
    aimed_ = true;
    for (const Tensor& x : inputs) targets_.insert(target(x));
  }

  void start(const Tensor& root, const Tensor& gradient) {
    require<GradError>(root.requires_grad(), "backward: the tensor ", root.shape(),
                       " needs no gradient: nothing it was computed from has requires_grad, or it was "
                       "computed under NoGrad");
    require<GradError>(gradient.defined() || root.numel() == 1, "backward: a tensor ", root.shape(),
                       " of more than one element needs a gradient argument of its shape");
    Tensor seed = gradient.defined() ? gradient : one_like(root);
    require<ShapeError>(seed.shape() == root.shape(), "backward: the gradient is ", seed.shape(),
                        ", the tensor is ", root.shape());
    if (root.is_leaf()) give_leaf(*root.body(), seed);
    else give_node(*root.grad_fn(), seed);
    roots_.push_back(root);
  }

  void run() {
    GradMode mode(create_graph_);
    DeferScope defer(recorder() == nullptr);
    try {
      while (!ready_.empty()) step();
    } catch (...) {
      for (Node* n : ready_) n->pending = Tensor();
      throw;
    }
  }

  Tensor found(const Tensor& x) const {
    auto it = found_.find(target(x));
    return it == found_.end() ? Tensor() : it->second;
  }

 private:
  static const void* target(const Tensor& x) {
    return x.is_leaf() ? static_cast<const void*>(x.body()) : x.grad_fn();
  }
  static Tensor one_like(const Tensor& x) {
    Array one = Array::empty(x.shape(), x.dtype());
    kernels::fill(one, 1);
    return Tensor(std::move(one));
  }

  void step() {
    std::pop_heap(ready_.begin(), ready_.end(), later);
    Node* node = ready_.back();
    ready_.pop_back();
    Tensor g = std::move(node->pending);
    node->pending = Tensor();
    for (auto& hook : node->hooks) replace(g, hook(g));
    if (node->retains_grad) node->retains_grad->grad = g;
    if (aimed_ && targets_.count(node)) found_[node] = g;
    if (aimed_ && !leads_to_target(node)) return;
    if (Recorder* r = recorder()) r->backward_begin(node->op(), node->number());
    Grads gradients = node->run(g);
    if (Recorder* r = recorder()) r->backward_end(node->op(), node->number(), g);
    if (!retain_) node->drop_saved();
    auto edges = node->edges();
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;
      if (edges[i].node) give_node(*edges[i].node, std::move(gradients[i]));
      else if (edges[i].leaf) give_leaf(*edges[i].leaf, std::move(gradients[i]));
    }
  }

  static void replace(Tensor& g, Tensor by) {
    if (by.defined()) g = std::move(by);
  }

  static Tensor fit(Tensor g, const Shape& shape, DType dtype) {
    if (!(g.shape() == shape)) g = g.sum_to_size(shape);
    if (g.dtype() != dtype) g = g.to(dtype);
    return g;
  }

  void give_node(Node& node, Tensor g) {
    g = fit(std::move(g), node.shape(), node.dtype());
    if (node.pending.defined()) {
      node.pending = node.pending + g;
      return;
    }
    node.pending = std::move(g);
    ready_.push_back(&node);
    std::push_heap(ready_.begin(), ready_.end(), later);
  }

  void give_leaf(TensorBody& leaf, Tensor g) {
    g = fit(std::move(g), leaf.array.shape, leaf.array.dtype);
    for (auto& hook : leaf.hooks) replace(g, hook(g));
    if (!aimed_) return accumulate(leaf, std::move(g));
    if (!targets_.count(&leaf)) return;
    Tensor& sum = found_[&leaf];
    sum = sum.defined() ? sum + g : g;
  }

  void accumulate(TensorBody& leaf, Tensor g) {
    if (leaf.grad.defined()) {
      if (create_graph_ || leaf.grad.requires_grad()) leaf.grad = leaf.grad + g;
      else leaf.grad.add_(g);
      return;
    }
    bool shared = g.body()->use_count() > 1 || g.array().storage->use_count() > 1;
    if (!create_graph_ && (shared || !g.array().is_dense())) g = g.clone();
    leaf.grad = std::move(g);
  }

  // Whether a target lies behind `node`; depth-first without recursion, remembered.
  bool leads_to_target(Node* root) {
    std::vector<Node*> path{root};
    while (!path.empty()) {
      Node* node = path.back();
      if (leads_.count(node)) {
        path.pop_back();
        continue;
      }
      bool waiting = false, leads = false;
      for (Edge& e : node->edges()) {
        if (e.leaf) leads |= targets_.count(e.leaf.get()) > 0;
        if (!e.node) continue;
        auto known = leads_.find(e.node.get());
        if (known == leads_.end()) {
          path.push_back(e.node.get());
          waiting = true;
        } else {
          leads |= known->second || targets_.count(e.node.get()) > 0;
        }
      }
      if (!waiting) {
        leads_[node] = leads;
        path.pop_back();
      }
    }
    return leads_[root];
  }

  static bool later(const Node* a, const Node* b) { return a->sequence() < b->sequence(); }

  bool retain_, create_graph_, aimed_ = false;
  std::vector<Node*> ready_;   // a heap; each node's gradient so far is in node->pending
  std::vector<Tensor> roots_;  // keep the graph alive
  std::unordered_set<const void*> targets_;
  std::unordered_map<const void*, Tensor> found_;
  std::unordered_map<Node*, bool> leads_;
};

}  // namespace

void Tensor::backward(const Tensor& gradient, BackwardOptions options) const {
  Walk walk(options.retain_graph || options.create_graph, options.create_graph);
  walk.start(*this, gradient);
  walk.run();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  require<ValueError>(options.grad_outputs.empty() || options.grad_outputs.size() == outputs.size(),
                      "grad: ", options.grad_outputs.size(), " grad_outputs for ", outputs.size(),
                      " outputs");
  Walk walk(options.retain_graph || options.create_graph, options.create_graph);
  for (const Tensor& x : inputs) {
    require<GradError>(x.requires_grad(), "grad: an input ", x.shape(), " does not need a gradient");
  }
  walk.aim_at(inputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    walk.start(outputs[i], options.grad_outputs.empty() ? Tensor() : options.grad_outputs[i]);
  }
  walk.run();
  std::vector<Tensor> found;
  for (size_t i = 0; i < inputs.size(); ++i) {
    found.push_back(walk.found(inputs[i]));
    require<GradError>(found.back().defined() || options.allow_unused, "grad: input ", i, " ",
                       inputs[i].shape(),
                       " has no part in the outputs; pass {.allow_unused = true} if that is meant");
  }
  return found;
}

}  // namespace espalier
