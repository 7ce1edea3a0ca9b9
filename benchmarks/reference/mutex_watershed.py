"""mwatershed.agglom on affinities from a .npy file. Case: {values: path, offsets, strides, randomizedStrides}.

The values are uint8 (a / 255 - 0.5 is computed) or float32 (taken as they are). The kernel takes float64 only; the
conversion is not timed.
"""

import mwatershed
import numpy as np

from side import serve, settings

case = settings()
stored = np.load(case["values"])
offsets, strides = case["offsets"], case.get("strides")
values = stored.astype(np.float64)
if stored.dtype == np.uint8:
    values /= 255.0
    values -= 0.5
del stored


def run():
    return mwatershed.agglom(values, offsets, strides=strides, randomized_strides=case.get("randomizedStrides", False))


def write(labels, folder):
    """The labels, with one repair: the reference gives the background's 0 to the cluster whose root is voxel 0."""
    touched = np.zeros(labels.shape, bool)
    for channel, offset in enumerate(offsets):
        begin = [max(0, -o) for o in offset]
        end = [s - max(0, o) for o, s in zip(offset, labels.shape)]
        step = strides[channel] if strides else [1] * len(offset)
        source = tuple(slice(*x) for x in zip(begin, end, step))
        target = tuple(slice(b + o, e + o, s) for b, e, o, s in zip(begin, end, offset, step))
        attractive = values[(channel, *source)] > 0
        touched[source] |= attractive
        touched[target] |= attractive
    lost = (labels == 0) & touched
    labels = labels.copy()
    labels[lost] = labels.max() + np.uint64(1)
    np.save(f"{folder}/labels.npy", labels)
    return ["labels.npy"]


serve(run, write)
