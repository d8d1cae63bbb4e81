// Tests of the inverted residual block of EfficientNet: TensorFlow's padding.
#include "radial/models/inverted_residual.h"
#include "../expect.h"

#include <vector>

namespace radial::test {

TEST_CASE("padding as TensorFlow's puts an odd zero below and to the right", "[models]") {
    const Tensor x = Tensor::full({1, 1, 4, 5}, 1);
    // With a window of 3 and a stride of 2, the result of 2 x 3 pixels requires 5 rows and 7 columns.
    const Tensor padded = pad_same(x, 3, 2);
    CHECK(padded.shape() == Shape{1, 1, 5, 7});
    std::vector<float> expected;
    for (int row = 0; row < 5; ++row)
        for (int column = 0; column < 7; ++column)
            expected.push_back(row < 4 && column >= 1 && column < 6 ? 1.0F : 0.0F);
    CHECK(padded.to_vector<float>() == expected);
    CHECK(pad_same(x, 1, 2).shape() == x.shape());
    CHECK(pad_same(Tensor::zeros({2, 3, 7, 8}), 5, 2).shape() == Shape{2, 3, 11, 11});
}

}  // namespace radial::test
