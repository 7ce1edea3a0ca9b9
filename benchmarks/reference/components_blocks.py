"""Connected components of a zarr array, the whole of it in memory: read with tensorstore, cc3d, write (synchronised).

Case: {source: path, empty: path of an array without chunks, folder, connectivity}.
"""

import shutil
import tempfile
from pathlib import Path

import cc3d
import numpy as np

from side import serve, settings
from stores import Tensorstore

case = settings()
everything = (slice(None),) * 3
folder = None


def prepare():
    global folder
    if folder is not None:
        shutil.rmtree(folder)
    folder = Path(tempfile.mkdtemp(dir=case["folder"], prefix="reference-"))
    (folder / "components").mkdir()
    shutil.copy(Path(case["empty"]) / "zarr.json", folder / "components")


def run():
    labels = Tensorstore(case["source"]).read(everything)
    found = cc3d.connected_components(labels, connectivity=case["connectivity"], out_dtype=np.uint64)
    Tensorstore(folder / "components", sync=True).write(everything, found)


def write(_, into):
    shutil.copytree(folder / "components", f"{into}/components")
    return ["components"]


serve(run, write, prepare)
