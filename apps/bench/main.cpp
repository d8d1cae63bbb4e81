// radial-bench: measures how fast this machine trains.
#include "radial/apps/bench/bench.h"

int main(int argc, char** argv) {
    return radial::train::run_program(
        "radial-bench", "Measures the speed and memory of training.",
        {radial::bench::step_command(), radial::bench::head_command(), radial::bench::parity_command(),
         radial::bench::replay_command(), radial::bench::pipeline_command(), radial::bench::loader_command(),
         radial::bench::ranks_command()},
        argc, argv);
}
