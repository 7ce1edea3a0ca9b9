"""mwatershed.cluster on edges from .npy files. Case: {u, v, scores: paths, sort: boolean}.

sort false: the edges are handed over as the list that `cluster` takes, already sorted, and neither sorting nor making the
list is timed: its most favourable use. sort true: `cluster_edges`, the package's own way, which sorts and converts.
"""

import mwatershed
import numpy as np

from side import serve, settings

case = settings()
u, v, scores = (np.load(case[name]) for name in ("u", "v", "scores"))
if case.get("sort"):
    edges = list(zip(scores.tolist(), u.tolist(), v.tolist()))
    cluster = mwatershed.cluster_edges
else:
    order = np.argsort(-np.abs(scores), kind="stable")
    edges = list(zip((scores[order] > 0).tolist(), u[order].tolist(), v[order].tolist()))
    cluster = mwatershed.cluster
    del order
del u, v, scores


def run():
    return cluster(edges)


def write(lut, folder):
    lut = np.array(lut, np.uint64).reshape(-1, 2)
    lut = lut[np.argsort(lut[:, 0], kind="stable")]
    np.save(f"{folder}/fragments.npy", np.ascontiguousarray(lut[:, 0]))
    np.save(f"{folder}/segments.npy", np.ascontiguousarray(lut[:, 1]))
    return ["fragments.npy", "segments.npy"]


serve(run, write)
