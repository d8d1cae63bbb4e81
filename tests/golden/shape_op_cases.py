"""Cases for the ops of core/ops/shape.h that op_cases.py does not have."""


def orders(r):
    for shape, order in (((2, 3, 5, 7), (0, 2, 3, 1)), ((2, 5, 7, 3), (0, 3, 1, 2)), ((2, 3, 17, 6), (0, 2, 1, 3)),
                         ((3, 2, 5, 4), (-1, 1, 0, 2)), ((2, 3, 5, 7), (0, 1, 3, 2)), ((5, 19), (1, 0)),
                         ((2, 1, 3, 4, 2), (4, 0, 3, 1, 2)), ((2, 3, 1, 2, 3, 2), (0, 5, 3, 2, 4, 1)),
                         ((1, 4, 5), (0, 1, 2)), ((7,), (0,))):
        r.case("permute", {"x": r.normal(*shape)}, lambda x, o=order: x.permute(o), order=order)
    for shape, a, b in (((2, 3, 5, 7), 1, 2), ((2, 3, 5, 7), -1, 0), ((3, 4, 5), 1, -1)):
        r.case("transpose", {"x": r.normal(*shape)}, lambda x, a=a, b=b: x.transpose(a, b), dim0=a, dim1=b)
    for shape, dim in (((2, 1, 3, 4), 1), ((1, 3, 5, 7), 0), ((2, 3, 5, 1), -1), ((2, 1, 1), -2), ((1,), 0)):
        r.case("squeeze", {"x": r.normal(*shape)}, lambda x, d=dim: x.squeeze(d), dim=dim)
    for shape, dim in (((2, 3, 5, 7), 1), ((2, 3, 5), 0), ((2, 3, 5), -1), ((3, 2, 5), -3), ((4,), 1)):
        r.case("unsqueeze", {"x": r.normal(*shape)}, lambda x, d=dim: x.unsqueeze(d), dim=dim)


def record(r):
    for family in (orders,):
        family(r)
