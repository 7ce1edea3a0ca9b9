"""mwatershed's watershed of a graph, on edges from .npy files. Case: {u, v, scores: paths, way}.

way "sorted": `cluster` alone, given the list that it takes, in order; neither sorting nor making the list is timed: its most
favourable use. way "sorting": the list is given in the order of the columns, and is put into its order by numpy first. way
"package": `cluster_edges`, which sorts and converts in Python.
"""

import mwatershed
import numpy as np

from side import serve, settings

case = settings()
u, v, scores = (np.load(case[name]) for name in ("u", "v", "scores"))
if case["way"] == "package":
    edges = list(zip(scores.tolist(), u.tolist(), v.tolist()))
else:
    if case["way"] == "sorted":
        order = np.argsort(-np.abs(scores), kind="stable")
        u, v, scores = u[order], v[order], scores[order]
        del order
    edges = list(zip((scores > 0).tolist(), u.tolist(), v.tolist()))
del u, v


def run():
    if case["way"] == "package":
        return mwatershed.cluster_edges(edges)
    if case["way"] == "sorted":
        return mwatershed.cluster(edges)
    order = np.argsort(-np.abs(scores), kind="stable")
    return mwatershed.cluster(list(map(edges.__getitem__, order.tolist())))


def write(lut, folder):
    lut = np.array(lut, np.uint64).reshape(-1, 2)
    lut = lut[np.argsort(lut[:, 0], kind="stable")]
    np.save(f"{folder}/fragments.npy", np.ascontiguousarray(lut[:, 0]))
    np.save(f"{folder}/segments.npy", np.ascontiguousarray(lut[:, 1]))
    return ["fragments.npy", "segments.npy"]


serve(run, write)
