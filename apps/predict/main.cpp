// radial-predict: what a trained classifier says of pictures.
#include "radial/apps/predict/predict.h"

int main(int argc, char** argv) {
    return radial::train::run_program("radial-predict", radial::predict::predict_command(), argc, argv);
}
