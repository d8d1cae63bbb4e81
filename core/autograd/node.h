// A recorded op and its edges to the producers of its inputs. Internal to the autograd engine and the ops.
#pragma once

#include "radial/core/autograd/autograd.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace radial {

/// The destination of the gradient of one input: the op that computed the input, a leaf, or none.
struct Edge {
    Shape shape;
    std::shared_ptr<Node> node;
    std::shared_ptr<TensorImpl> leaf;
    bool wanted() const { return node != nullptr || leaf != nullptr; }
};

/// An op on the tape. `backward` is empty once it has run.
class Node {
public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    std::string_view op;
    std::uint64_t sequence = 0;
    std::vector<Edge> inputs;
    BackwardFn backward;
};

/// sum += part, elementwise, in place; same shape and dtype, any layouts.
void add_in_place(const Tensor& sum, const Tensor& part);

}  // namespace radial
