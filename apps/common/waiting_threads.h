// How threads that compute wait for each other.
#pragma once

namespace radial::apps {

/// Has OpenMP's threads spin for some 50 µs where they wait, then sleep. By itself GNU's OpenMP spins for milliseconds:
/// where another program wants the cores too, that takes from the thread that is waited for, and steps last several
/// times as long. OpenMP reads this from the environment before main(), so the process starts itself anew, with the
/// same `argv`, unless GOMP_SPINCOUNT or OMP_WAIT_POLICY say how to wait. Goes on as it is where that cannot be done.
void let_waiting_threads_sleep(const char* const* argv);

}  // namespace radial::apps
