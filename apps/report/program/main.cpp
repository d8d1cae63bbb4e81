// radial-report: runs side by side.
#include "radial/apps/report/program/comparison.h"

int main(int argc, char** argv) {
    return radial::train::run_program("radial-report", radial::report::compare_command(), argc, argv);
}
