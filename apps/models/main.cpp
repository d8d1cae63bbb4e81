// radial-models: which networks there are, what they cost, and their weights in other programs' names.
#include "radial/apps/models/models.h"

int main(int argc, char** argv) {
    return radial::train::run_program("radial-models", radial::zoo::models_command(), argc, argv);
}
