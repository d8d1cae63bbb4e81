// radial-prototypes: looks at what classifiers have learned.
#include "radial/apps/prototypes/scatter.h"

int main(int argc, char** argv) {
    return radial::train::run_program("radial-prototypes", "Shows the features and prototypes of trained classifiers.",
                                      {radial::prototypes::scatter_command()}, argc, argv);
}
