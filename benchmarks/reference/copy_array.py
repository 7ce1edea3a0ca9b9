"""An array copied into a new one, a chunk of the copy at a time, by two threads.

Case: {source: path, empty: path of an array without chunks, folder, chunkShape, library}.
"""

import itertools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from side import serve, settings
from stores import LIBRARIES, THREADS, box_of

case = settings()
Library = LIBRARIES[case["library"]]
source = Library(case["source"])
chunk = case["chunkShape"]
begins = list(itertools.product(*(range(0, extent, step) for extent, step in zip(source.shape, chunk))))
path = target = None


def prepare():
    global path, target
    if path is not None:
        shutil.rmtree(path)
    path = Path(tempfile.mkdtemp(dir=case["folder"]))
    shutil.copy(Path(case["empty"]) / "zarr.json", path)
    target = Library(path, sync=Library.can_sync)


def copy(begin):
    box = box_of(begin, [min(b + step, extent) for b, step, extent in zip(begin, chunk, source.shape)])
    target.write(box, source.read(box))


def run():
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, begins))


def write(_, folder):
    shutil.copytree(path, Path(folder) / "array")
    return ["array"]


serve(run, write, prepare)
