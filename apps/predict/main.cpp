// radial-predict: classifies images with the weights in a file, writes their features, finds similar images, and
// verifies whether two images are of the same class.
#include "radial/apps/predict/commands.h"

#include <string_view>

int main(int argc, char** argv) {
    using namespace radial::predict;
    // Classifying images is the default and needs no name of a command.
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == "embed" || first == "nearest" || first == "verify")
        return radial::train::run_program("radial-predict", "Features of images.",
                                          {embed_command(), nearest_command(), verify_command()}, argc, argv);
    return radial::train::run_program("radial-predict", classify_command(), argc, argv);
}
