"""Cases for the ops that the larger networks use."""


def record(r):
    for image, wide in (((2, 3, 5, 7), True), ((2, 3, 5, 7), False), ((1, 16, 3, 3), True), ((2, 70, 3, 2), True),
                        ((3, 70, 1, 1), False)):
        scale = (image[0], image[1] if wide else 1)
        r.case("scale_channels", {"x": r.normal(*image), "scale": r.normal(*scale)},
               lambda x, scale: x * scale[:, :, None, None])
