"""bioimage_cpp.segmentation.mutex_watershed on values from a .npy file. Case: {values: path, offsets}.

The package takes weights >= 0 and calls the first channels attractive, all others repulsive: the values' signs tell how many are.
"""

import bioimage_cpp
import numpy as np

from side import serve, settings

case = settings()
values = np.load(case["values"])
attractive = sum(1 for channel in values if channel.max() > 0)
np.abs(values, out=values)


def run():
    return bioimage_cpp.segmentation.mutex_watershed(values, case["offsets"], attractive)


def write(labels, folder):
    np.save(f"{folder}/labels.npy", labels.astype(np.uint64, copy=False))
    return ["labels.npy"]


serve(run, write)
