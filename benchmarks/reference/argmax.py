"""numpy.argmax over the first axis. Case: {values: path, combineClasses: lists of channels or null}.

With combineClasses the channels of each list are added first, as volara's Argmax does.
"""

import numpy as np

from side import serve, settings

case = settings()
values = np.load(case["values"])
groups = case.get("combineClasses")


def run():
    compared = values
    if groups is not None:
        compared = np.empty((len(groups), *values.shape[1:]), values.dtype)
        for i, channels in enumerate(groups):
            compared[i] = np.sum(values[channels], axis=0)
    return np.argmax(compared, axis=0)


def write(classes, folder):
    np.save(f"{folder}/classes.npy", classes.astype(np.uint8))
    return ["classes.npy"]


serve(run, write)
