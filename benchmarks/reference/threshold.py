"""A comparison of numpy as volara's Threshold makes it: values > threshold, as uint8. Case: {values: path, threshold}."""

import numpy as np

from side import serve, settings

case = settings()
values = np.load(case["values"])


def run():
    # the bytes of the booleans are 0 and 1: no second pass
    return (values > case["threshold"]).view(np.uint8)


def write(mask, folder):
    np.save(f"{folder}/mask.npy", mask)
    return ["mask.npy"]


serve(run, write)
