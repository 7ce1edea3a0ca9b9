"""A whole array written to a new store. Case: {data: path, empty: path of an array without chunks, folder, library, sync}."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from side import serve, settings
from stores import LIBRARIES

case = settings()
data = np.load(case["data"])
path = array = None


def prepare():
    global path, array
    if path is not None:
        shutil.rmtree(path)
    path = Path(tempfile.mkdtemp(dir=case["folder"]))
    shutil.copy(Path(case["empty"]) / "zarr.json", path)
    array = LIBRARIES[case["library"]](path, case["sync"])


def run():
    array.write(..., data)


def write(_, folder):
    shutil.copytree(path, Path(folder) / "array")
    return ["array"]


serve(run, write, prepare)
