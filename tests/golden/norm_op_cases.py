"""Cases for the ops of core/ops/norm.h and linear_algebra.h that op_cases.py does not have."""


def record(r):
    pass
