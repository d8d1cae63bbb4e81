// Holds what a program chose between exactness and speed.
#include "radial/core/backend/precision.h"

#include <atomic>

namespace radial {
namespace {

std::atomic<bool> tf32 = false, search = true;

}  // namespace

bool allow_tf32() { return tf32; }
void set_allow_tf32(bool on) { tf32 = on; }

bool conv_search() { return search; }
void set_conv_search(bool on) { search = on; }

}  // namespace radial
