import struct


def width(png):
    return struct.unpack(">I", png[16:20])[0]


def shrink(png, to):
    """A picture that is small enough already stays as it is; the rest is left to a real library."""
    if width(png) <= to:
        return png
    raise NotImplementedError(f"a picture of width {width(png)}")
