"""Philox 4x32-10, as in core/kernels/philox.h: for numbers that are too many to store, so that both sides compute
them."""
import numpy as np


def random_bits(seed, count, first_block=0):
    """`count` numbers (uint32) of the stream `seed`, from number 4 * first_block on."""
    blocks = np.arange(first_block, first_block + (count + 3) // 4, dtype=np.uint64)
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c = [blocks & mask, blocks >> shift, np.zeros_like(blocks), np.zeros_like(blocks)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> shift) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count].astype(np.uint32)


def unit(seed, count):
    """Numbers in [0, 1) with 24 random bits, exact in float32."""
    return (random_bits(seed, count) >> np.uint32(8)).astype(np.float64) * 2.0**-24


def uniform(seed, shape, low, high):
    """float32 numbers in [low, high), as Radial's uniform_(); computed in parts, because networks need many."""
    count, part = int(np.prod(shape)), 1 << 22
    result = np.empty(count, np.float32)
    for begin in range(0, count, part):
        bits = random_bits(seed, min(part, count - begin), begin // 4)
        result[begin:begin + part] = low + (high - low) * ((bits >> np.uint32(8)) * 2.0**-24)
    return result.reshape(shape)


def symmetric(seed, shape, bound):
    """float32 numbers in [-bound, bound), as Radial's uniform_()."""
    return (-bound + 2 * bound * unit(seed, int(np.prod(shape)))).astype(np.float32).reshape(shape)
