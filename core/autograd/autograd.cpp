// The tape, the backward engine, and recomputation of segments. Both the backward walk and the destruction of a graph
// are loops, never recursive.
#include "radial/core/autograd/autograd.h"

#include "radial/core/autograd/node.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/tensor/random.h"

#include <algorithm>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace radial {
namespace {

thread_local bool recording = true;
thread_local const OpWatcher* current_watcher = nullptr;
thread_local std::uint64_t next_sequence = 0;
thread_local const GradientWatcher* gradient_watcher = nullptr;

using NodePtr = std::shared_ptr<Node>;

// Newest op first, so that a gradient is consumed as soon as all its parts have been added.
struct Older {
    bool operator()(const Node* a, const Node* b) const { return a->sequence < b->sequence; }
};

/// Counts the edges from live ops to each leaf, that is, the gradients that a walk still has to deliver. Used only
/// while a gradient watcher exists. Nested walks (recompute()) are linked, since a leaf is complete only when no walk
/// has anything left to deliver to it.
class PendingLeaves {
public:
    PendingLeaves() : outer_(innermost) { innermost = this; }
    ~PendingLeaves() { innermost = outer_; }
    PendingLeaves(const PendingLeaves&) = delete;
    PendingLeaves& operator=(const PendingLeaves&) = delete;

    void count(const TensorImpl* leaf) { ++edges_[leaf]; }
    void delivered(const std::shared_ptr<TensorImpl>& leaf) {
        if (--edges_[leaf.get()] > 0) return;
        for (const PendingLeaves* walk = outer_; walk != nullptr; walk = walk->outer_) {
            const auto found = walk->edges_.find(leaf.get());
            if (found != walk->edges_.end() && found->second > 0) return;
        }
        (*gradient_watcher)(leaf);
    }

private:
    static thread_local PendingLeaves* innermost;
    PendingLeaves* outer_;
    std::unordered_map<const TensorImpl*, int> edges_;
};
thread_local PendingLeaves* PendingLeaves::innermost = nullptr;

// Returns the number of edges to each op of the graph below `root`. Also counts the edges to each leaf if `leaves` is
// not null.
std::unordered_map<const Node*, int> count_uses(Node* root, PendingLeaves* leaves) {
    std::unordered_map<const Node*, int> uses{{root, 0}};
    std::vector<Node*> pending{root};
    while (!pending.empty()) {
        Node* const node = pending.back();
        pending.pop_back();
        for (const Edge& edge : node->inputs) {
            if (edge.leaf != nullptr && leaves != nullptr) leaves->count(edge.leaf.get());
            if (edge.node == nullptr) continue;
            if (uses[edge.node.get()]++ == 0) pending.push_back(edge.node.get());
        }
    }
    return uses;
}

// sum += part. Reuses the buffer of `sum` or of `part` if nothing else refers to it, and otherwise copies `sum`.
void accumulate(Tensor& sum, Tensor part) {
    if (!sum.defined()) {
        sum = std::move(part);
        return;
    }
    if (!sum.exclusive() && part.exclusive()) std::swap(sum, part);
    if (!sum.exclusive()) sum = sum.clone();
    const NoGrad guard;
    add_in_place(sum, part);
}

void deliver_to_leaf(TensorImpl& leaf, Tensor grad) {
    Tensor sum(std::move(leaf.grad));
    // Use the layout of the leaf, so that optimizers can process parameter and gradient in the same order.
    grad = grad.to(leaf.layout);
    if (!sum.defined() && !grad.exclusive()) grad = grad.clone();
    accumulate(sum, std::move(grad));
    leaf.grad = sum.impl();
}

Grads run(Node& node, Tensor grad) {
    if (!node.backward) {
        throw Error(fmt::format(
            "backward: the graph through {} was freed by an earlier backward(); run the forward pass again", node.op));
    }
    std::uint32_t mask = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
        mask |= static_cast<std::uint32_t>(node.inputs[i].wanted()) << i;
    const BackwardFn function = std::move(node.backward);
    node.backward = nullptr;
    const device::Range range(node.op.data());      // a string literal, so it is null-terminated
    return function(std::move(grad), Needs(mask));  // destroying `function` frees what the op saved
}

void check_grad(const Node& node, const Edge& edge, const Tensor& grad) {
    RADIAL_CHECK(grad.shape() == edge.shape, "backward: {} gave a gradient of {} for an input of shape {}", node.op,
                 grad.str(), edge.shape.str());
}

Tensor seed_for(const Tensor& root, const Tensor& seed) {
    if (seed.defined()) {
        RADIAL_CHECK(seed.shape() == root.shape() && seed.dtype() == root.dtype(), "backward: seed is {}, expected {}",
                     seed.str(), root.str());
        return seed.clone();
    }
    RADIAL_CHECK(root.numel() == 1, "backward: {} is not a scalar, so a seed of its shape is needed", root.str());
    return Tensor::full(root.shape(), 1.0, root.dtype(), root.device());
}

thread_local int first_runs = 0, runs_again = 0;

/// Marks the first run of a segment on this thread while the object exists.
class FirstRun {
public:
    FirstRun() { ++first_runs; }
    ~FirstRun() { --first_runs; }
    FirstRun(const FirstRun&) = delete;
    FirstRun& operator=(const FirstRun&) = delete;
};

/// Marks the second run of a segment on this thread while the object exists. Starts with the generator state of the
/// first run; the destructor restores the generator.
class SecondRun {
public:
    explicit SecondRun(std::uint64_t seed, std::uint64_t counter)
        : seed_(default_generator().seed()), counter_(default_generator().counter()) {
        ++runs_again;
        default_generator().restore(seed, counter);
    }
    ~SecondRun() {
        default_generator().restore(seed_, counter_);
        --runs_again;
    }
    SecondRun(const SecondRun&) = delete;
    SecondRun& operator=(const SecondRun&) = delete;

private:
    std::uint64_t seed_, counter_;
};

}  // namespace

WatchGradients::WatchGradients(GradientWatcher watcher) : watcher_(std::move(watcher)), previous_(gradient_watcher) {
    gradient_watcher = &watcher_;
}
WatchGradients::~WatchGradients() { gradient_watcher = previous_; }

NoGrad::NoGrad() : previous_(recording) { recording = false; }
NoGrad::~NoGrad() { recording = previous_; }
bool grad_enabled() { return recording; }

ObserveOps::ObserveOps(OpWatcher watcher) : watcher_(std::move(watcher)), previous_(current_watcher) {
    current_watcher = &watcher_;
}
ObserveOps::~ObserveOps() { current_watcher = previous_; }
bool ops_observed() { return current_watcher != nullptr; }

Saved::Saved(const Tensor& tensor, std::string_view op, std::string_view what) : op_(op), what_(what) {
    if (!tensor.defined()) return;
    tensor_ = tensor.detach();
    version_ = tensor.version();
}

Tensor Saved::get() const {
    if (!tensor_.defined()) return {};
    RADIAL_CHECK(tensor_.version() == version_,
                 "{}: its {} {} was changed in place between forward and backward (version {}, saved at {})", op_,
                 what_, tensor_.str(), tensor_.version(), version_);
    return tensor_;
}

Node::~Node() {
    // Ops that are referenced only from here are destroyed one after the other, without recursion.
    std::vector<NodePtr> doomed;
    const auto collect = [&doomed](Node& node) {
        node.backward = nullptr;
        for (Edge& edge : node.inputs) {
            if (edge.node != nullptr) doomed.push_back(std::move(edge.node));
        }
    };
    collect(*this);
    while (!doomed.empty()) {
        const NodePtr node = std::move(doomed.back());
        doomed.pop_back();
        if (node.use_count() == 1) collect(*node);  // the last reference to this op
    }
}

double OpCall::attribute(std::string_view name) const {
    for (const OpAttribute& each : attributes) {
        if (each.name == name) return each.value;
    }
    throw Error(fmt::format("{}: the op has no attribute {}", op, name));
}

Tensor record(std::string_view op, Tensor output, std::span<const Tensor> inputs, BackwardFn backward,
              std::initializer_list<OpAttribute> attributes) {
    if (current_watcher != nullptr)
        (*current_watcher)({.op = op, .inputs = inputs, .output = output, .attributes = attributes});
    const auto wants = [](const Tensor& t) { return t.defined() && t.requires_grad(); };
    if (!recording || std::none_of(inputs.begin(), inputs.end(), wants)) return output;
    RADIAL_CHECK(inputs.size() <= 32, "{}: {} inputs, the tape takes at most 32", op, inputs.size());
    auto node = std::make_shared<Node>();
    node->op = op;
    node->sequence = next_sequence++;
    node->backward = std::move(backward);
    node->inputs.reserve(inputs.size());
    for (const Tensor& input : inputs) {
        Edge edge;
        if (wants(input)) {
            edge.shape = input.shape();
            edge.node = input.impl()->producer;
            if (edge.node == nullptr) edge.leaf = input.impl();
        }
        node->inputs.push_back(std::move(edge));
    }
    output.impl()->producer = std::move(node);
    output.impl()->requires_grad = true;
    return output;
}

Tensor record(std::string_view op, Tensor output, std::initializer_list<Tensor> inputs, BackwardFn backward,
              std::initializer_list<OpAttribute> attributes) {
    return record(op, std::move(output), std::span(inputs.begin(), inputs.size()), std::move(backward), attributes);
}

void backward(const Tensor& root, const Tensor& seed) {
    RADIAL_CHECK(root.defined() && root.requires_grad(),
                 "backward: {} has no graph (no leaf requires a gradient, or it was made under NoGrad)", root.str());
    Tensor grad = seed_for(root, seed);
    if (root.impl()->producer == nullptr) {
        deliver_to_leaf(*root.impl(), std::move(grad));
        if (gradient_watcher != nullptr) (*gradient_watcher)(root.impl());
        return;
    }

    Node* const start = root.impl()->producer.get();
    std::optional<PendingLeaves> leaves;
    if (gradient_watcher != nullptr) leaves.emplace();
    auto uses = count_uses(start, leaves ? &*leaves : nullptr);
    std::unordered_map<const Node*, Tensor> waiting;
    waiting[start] = std::move(grad);
    std::priority_queue<Node*, std::vector<Node*>, Older> ready;
    ready.push(start);
    while (!ready.empty()) {
        Node& node = *ready.top();
        ready.pop();
        Tensor incoming = std::move(waiting[&node]);
        waiting.erase(&node);
        Grads grads;
        // If no gradient has reached this op, there is nothing to pass on, but the counters of its inputs must still be
        // decremented.
        if (incoming.defined()) grads = run(node, std::move(incoming));
        grads.resize(node.inputs.size());
        for (std::size_t i = 0; i < grads.size(); ++i) {
            const Edge& edge = node.inputs[i];
            Tensor part = std::move(grads[i]);
            if (part.defined() && edge.wanted()) check_grad(node, edge, part);
            if (edge.leaf != nullptr) {
                if (part.defined()) deliver_to_leaf(*edge.leaf, std::move(part));
                if (leaves) leaves->delivered(edge.leaf);
            } else if (edge.node != nullptr) {
                if (part.defined()) accumulate(waiting[edge.node.get()], std::move(part));
                if (--uses[edge.node.get()] == 0) ready.push(edge.node.get());
            }
        }
    }
}

std::vector<std::string> graph_ops(const Tensor& root) {
    std::vector<std::string> names;
    if (!root.defined() || root.impl()->producer == nullptr) return names;
    std::unordered_set<const Node*> seen{root.impl()->producer.get()};
    std::vector<const Node*> pending{root.impl()->producer.get()};
    while (!pending.empty()) {
        const Node* const node = pending.back();
        pending.pop_back();
        names.emplace_back(node->op);
        for (const Edge& edge : node->inputs) {
            if (edge.node != nullptr && seen.insert(edge.node.get()).second) pending.push_back(edge.node.get());
        }
    }
    return names;
}

void Tensor::backward() const { radial::backward(*this); }

bool recomputing() { return runs_again > 0; }
bool may_fuse() { return !recording && !ops_observed() && first_runs == 0 && runs_again == 0; }

Tensor recompute(const std::function<Tensor(Tensor)>& segment, const Tensor& x, const std::vector<Tensor>& parameters) {
    RADIAL_CHECK(x.defined(), "recompute: input is undefined");
    if (!grad_enabled()) return segment(x);
    const std::uint64_t seed = default_generator().seed(), counter = default_generator().counter();
    const Tensor y = [&] {
        const NoGrad guard;
        const FirstRun run;
        // This handle has a name, so that no layer treats x as a temporary and overwrites it.
        const Tensor input = x.detach();
        return segment(input);
    }();
    const auto trained = std::ranges::find_if(parameters, [](const Tensor& one) { return one.requires_grad(); });
    return record("recompute", y.detach(), {x, trained == parameters.end() ? Tensor() : *trained},
                  [segment, kept = Saved(x, "recompute", "input"), seed, counter](const Tensor& dy, Needs needs) {
                      const SecondRun run(seed, counter);
                      Tensor input = kept.get().detach();
                      input.set_requires_grad(needs[0]);
                      const Tensor again = segment(input);
                      // This also adds the parameters' gradients to their grad().
                      if (again.requires_grad()) backward(again, dy);
                      return Grads{needs[0] ? input.grad() : Tensor(), {}};
                  });
}

}  // namespace radial
