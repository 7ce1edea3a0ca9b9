"""A whole job of volara: extract-frags, aff-agglom, graph-mws, relabel, on affinities that are a zarr array.

Case: {folder, affinities: path, offsets, shape, voxelSize, blockSize, context, bias, noise, strides, scores, weights, workers}.
Every run starts from nothing (stores, database, logs). The answer names the segments' array and the seconds of each task.
"""

import logging
import shutil
import tempfile
import time
from pathlib import Path

from funlib.geometry import Coordinate
from volara.blockwise import AffAgglom, ExtractFrags, GraphMWS, Relabel
from volara.datasets import Affs, Labels
from volara.dbs import SQLite
from volara.logging import set_log_basedir
from volara.lut import LUT

from side import serve, settings

case = settings()
logging.getLogger().setLevel(logging.ERROR)
folder = None


def run():
    global folder
    if folder is not None:
        shutil.rmtree(folder)
    folder = Path(tempfile.mkdtemp(dir=case["folder"], prefix="volara-"))
    set_log_basedir(folder / "logs")
    offsets = [Coordinate(o) for o in case["offsets"]]
    affinities = Affs(store=case["affinities"], neighborhood=offsets)
    fragments = Labels(store=folder / "data.zarr" / "fragments")
    segments = Labels(store=folder / "data.zarr" / "segments")
    graph = SQLite(path=folder / "graph.db", edge_attrs={name: "float" for name in case["scores"]}, ndim=len(case["shape"]))
    lut = LUT(path=folder / "lut.npz")
    block, context, workers = case["blockSize"], case["context"], case["workers"]
    roi = (Coordinate([0] * len(case["shape"])), Coordinate(case["shape"]) * Coordinate(case["voxelSize"]))
    tasks = [
        ExtractFrags(
            db=graph,
            affs_data=affinities,
            frags_data=fragments,
            block_size=block,
            context=context,
            bias=case["bias"],
            noise_eps=case["noise"],
            strides=case.get("strides"),
            num_workers=workers,
        ),
        AffAgglom(
            db=graph,
            affs_data=affinities,
            frags_data=fragments,
            block_size=block,
            context=context,
            scores={name: [offsets[c] for c in channels] for name, channels in case["scores"].items()},
            num_workers=workers,
        ),
        GraphMWS(db=graph, lut=lut, weights={n: tuple(w) for n, w in case["weights"].items()}, roi=roi),
        Relabel(frags_data=fragments, seg_data=segments, lut=lut, block_size=block, num_workers=workers),
    ]
    seconds = {}
    for each in tasks:
        began = time.perf_counter()
        each.drop()
        each.run_blockwise(multiprocessing=True)
        seconds[each.task_type] = round(time.perf_counter() - began, 3)
    return folder, {
        "tasks": seconds,
        "fragments": str(folder / "data.zarr" / "fragments"),
        "segments": str(folder / "data.zarr" / "segments"),
    }


serve(run)
