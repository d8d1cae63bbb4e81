// Reports that ONNX files cannot be written, in a build without the ONNX library.
#include "radial/apps/models/onnx_file.h"

#include "radial/core/util/error.h"

namespace radial::zoo {

std::int64_t export_classifier(const std::filesystem::path& /*path*/, train::OpenedWeights& /*weights*/,
                               std::int64_t /*size*/) {
    throw Error("--format onnx: this build has no ONNX library (Debian: libonnx-dev, libprotobuf-dev)");
}

}  // namespace radial::zoo
