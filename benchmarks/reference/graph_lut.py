"""volara's GraphMWS, the block of the task in this process, from its SQLite graph store to its LUT.

Case: {folder, columns: paths of .npy files (nodes, sizes, positions, u, v, and one a score; NaN = no such score), weights, extent}.
The store is made first, which is not timed: its tables by volara, the rows by plain SQL, as volara's own way takes long.
"""

import logging
import sqlite3
import tempfile
from pathlib import Path

import daisy
import numpy as np
from funlib.geometry import Coordinate, Roi
from volara.blockwise import GraphMWS
from volara.dbs import SQLite
from volara.logging import set_log_basedir
from volara.lut import LUT

from side import serve, settings

case = settings()
logging.getLogger().setLevel(logging.ERROR)
folder = Path(tempfile.mkdtemp(dir=case["folder"], prefix="volara-"))
set_log_basedir(folder / "logs")
names = list(case["weights"])
roi = Roi(Coordinate(0, 0, 0), Coordinate([case["extent"]] * 3))
db = SQLite(path=folder / "graph.db", edge_attrs={name: "float" for name in names}, ndim=3)
lut = LUT(path=folder / "lut.npz")


def column(name):
    return np.load(case["columns"][name])


def fill():
    db.open("w").close()
    con = sqlite3.connect(folder / "graph.db")
    z, y, x = column("positions").reshape(-1, 3).T.tolist()
    nodes = zip(column("nodes").tolist(), z, y, x, column("sizes").tolist())
    con.executemany("INSERT INTO nodes (id, position_0, position_1, position_2, size) VALUES (?, ?, ?, ?, ?)", nodes)
    # sqlite3 stores NaN as NULL
    edges = zip(column("u").tolist(), column("v").tolist(), *(column(name).tolist() for name in names))
    con.executemany(f"INSERT INTO edges (u, v, {', '.join(names)}) VALUES (?, ?{', ?' * len(names)})", edges)
    con.commit()
    con.close()


fill()


def run():
    weights = {name: tuple(weight) for name, weight in case["weights"].items()}
    # it reads the whole graph fastest without a Roi
    task = GraphMWS(db=db, lut=lut, weights=weights, roi=(roi.offset, roi.shape), bounded_read=False)
    with task.process_block_func() as process:
        process(daisy.Block(roi, roi, roi))


def write(_, folder):
    table = lut.load()
    table = table[:, np.argsort(table[0], kind="stable")].astype(np.uint64)
    np.save(f"{folder}/fragments.npy", np.ascontiguousarray(table[0]))
    np.save(f"{folder}/segments.npy", np.ascontiguousarray(table[1]))
    return ["fragments.npy", "segments.npy"]


serve(run, write)
