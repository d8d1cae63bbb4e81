// Tests of the defaults of settings that exchange exactness for speed.
#include "../../catch.h"
#include "radial/core/backend/backend.h"

using namespace radial;

TEST_CASE("float32 is float32 unless TF32 is allowed", "[host][core][precision]") {
    CHECK(!allow_tf32());
    set_allow_tf32(true);
    CHECK(allow_tf32());
    set_allow_tf32(false);
    CHECK(!allow_tf32());
}

TEST_CASE("algorithms of a convolution are searched for unless that is turned off", "[host][core][precision]") {
    CHECK(conv_search());
    set_conv_search(false);
    CHECK(!conv_search());
    set_conv_search(true);
    CHECK(conv_search());
}
