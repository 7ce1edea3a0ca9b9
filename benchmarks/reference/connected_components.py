"""Connected components by cc3d. Case: {labels: path, connectivity}. The type of its result is what it chooses by itself."""

import cc3d
import numpy as np

from side import serve, settings

case = settings()
labels = np.load(case["labels"])


def run():
    return cc3d.connected_components(labels, connectivity=case["connectivity"])


def write(result, folder):
    np.save(f"{folder}/labels.npy", np.ascontiguousarray(result, dtype=np.uint64))
    return ["labels.npy"]


serve(run, write)
