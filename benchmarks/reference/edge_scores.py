"""The numerical part of volara's AffAgglom on one block. Case: {affinities, fragments: paths, offsets, scores}.

`scores` names groups of channels. Reading, the conversion of uint8 to float32 and writing to a database are not timed.
"""

import networkx
import numpy as np
from funlib.geometry import Coordinate
from volara.blockwise import AffAgglom
from volara.datasets import Affs, Labels
from volara.dbs import SQLite

from side import serve, settings

case = settings()
affinities = np.load(case["affinities"]).astype(np.float32) / 255.0
fragments = np.load(case["fragments"])
offsets = [Coordinate(o) for o in case["offsets"]]
scores = {name: [offsets[c] for c in channels] for name, channels in case["scores"].items()}
size = fragments.shape
task = AffAgglom(
    db=SQLite(path="unused.db", edge_attrs={name: "float" for name in scores}, ndim=len(size)),
    affs_data=Affs(store="unused.zarr/affinities", neighborhood=offsets),
    frags_data=Labels(store="unused.zarr/fragments"),
    block_size=size,
    context=[0] * len(size),
    scores=scores,
)


def run():
    graph = networkx.Graph()
    task.agglomerate(affinities, fragments, graph)
    return graph


def write(graph, folder):
    rows = sorted((min(u, v), max(u, v), data) for u, v, data in graph.edges(data=True))
    np.save(f"{folder}/u.npy", np.array([u for u, _, _ in rows], np.uint64))
    np.save(f"{folder}/v.npy", np.array([v for _, v, _ in rows], np.uint64))
    for name in scores:
        np.save(f"{folder}/{name}.npy", np.array([data.get(name, np.nan) for _, _, data in rows], np.float64))
    return ["u.npy", "v.npy", *(f"{name}.npy" for name in scores)]


serve(run, write)
