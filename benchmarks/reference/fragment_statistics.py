"""Voxels and centre of mass of every label but 0, by numpy. Case: {labels: path}."""

import numpy as np

from side import serve, settings

labels = np.load(settings()["labels"])


def run():
    ids, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    centres = np.empty((len(ids), labels.ndim))
    for axis, extent in enumerate(labels.shape):
        coordinates = np.arange(extent, dtype=np.float64).reshape([-1 if a == axis else 1 for a in range(labels.ndim)])
        weights = np.broadcast_to(coordinates, labels.shape).ravel()
        centres[:, axis] = np.bincount(inverse, weights=weights, minlength=len(ids)) / sizes
    kept = ids != 0
    return [ids[kept], sizes[kept], centres[kept]]  # a list: a pair would be a result and extra fields


def write(result, folder):
    ids, sizes, centres = result
    np.save(f"{folder}/ids.npy", ids)
    np.save(f"{folder}/sizes.npy", sizes.astype(np.uint64))
    np.save(f"{folder}/centres.npy", np.ascontiguousarray(centres))
    return ["ids.npy", "sizes.npy", "centres.npy"]


serve(run, write)
