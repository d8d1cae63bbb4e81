// join_ranks() in a build without MPI.
#include "radial/core/distributed/communicator.h"

namespace radial {

std::unique_ptr<Communicator> join_ranks(const RankOptions&) {
    const RankEnvironment environment = rank_environment();
    RADIAL_CHECK(environment.size == 1,
                 "started as rank {} of {}, but this program was built without MPI: install libopenmpi-dev and "
                 "configure with -DRADIAL_MPI=ON, or start it without mpirun",
                 environment.rank, environment.size);
    return single_rank();
}

}  // namespace radial
