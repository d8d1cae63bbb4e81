// FirstBatch: the flag and its buffer.
#include "radial/core/nn/first_batch.h"

namespace radial {

bool FirstBatch::begins(bool training) {
    if (!training || known_) return false;
    known_ = true;
    if (started_.item() != 0) return false;
    started_.fill_(1);
    return true;
}

}  // namespace radial
