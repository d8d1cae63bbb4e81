// All tables of ops; every_op.h says how to add one.
#include "every_op.h"

namespace radial::test {

Tensor input_of(const TensorMap& inputs, const std::string& name) {
    const auto found = inputs.find(name);
    return found == inputs.end() ? Tensor() : found->second;
}

GoldenFunction giving(const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call) {
    return [call](const GoldenCase& golden, TensorMap& in) { return TensorMap{{"y", call(golden, in)}}; };
}

std::vector<const OpFamily*> every_op() {
    return {&elementwise_ops(), &activation_ops(),      &random_ops(), &reduction_ops(), &shape_ops(),
            &product_ops(),     &comparison_ops(),      &conv_ops(),   &norm_ops(),      &softmax_ops(),
            &head_ops(),        &recomputed_head_ops(), &pair_ops()};
}

}  // namespace radial::test
