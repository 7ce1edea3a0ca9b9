"""Opens arrays and images with one reader and says what it finds.

    python read_stores.py READER < cases.json

READER is zarr (2 or 3, whichever is installed), tensorstore, funlib, ome, downsample or consolidate. The cases are a JSON list of objects with
`name`, `path` and `zarrFormat`; the answer is a JSON object by name, an error's text where the reader failed. Content is given
as the sha256 of the C-order little-endian bytes.
"""

import hashlib
import json
import sys


def content(array):
    import numpy as np

    array = np.asarray(array)
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return {"shape": list(array.shape), "dtype": array.dtype.newbyteorder("=").name, "sha256": hashlib.sha256(little.tobytes()).hexdigest()}


def read_zarr(case):
    import zarr

    array = zarr.open(case["path"], mode="r")
    return {**content(array[...]), "attributes": dict(array.attrs)}


def open_tensorstore(path, zarr_format):
    import tensorstore as ts

    driver = "zarr3" if zarr_format == 3 else "zarr"
    return ts.open({"driver": driver, "kvstore": {"driver": "file", "path": path}}, open=True, read=True).result()


def read_tensorstore(case):
    store = open_tensorstore(case["path"], case["zarrFormat"])
    return {**content(store.read().result()), "dimensionNames": list(store.domain.labels)}


def read_funlib(case):
    from funlib.persistence import open_ds

    array = open_ds(case["path"])
    return {
        **content(array[array.roi]),
        "offset": list(array.offset),
        "voxelSize": list(array.voxel_size),
        "units": list(array.units),
        "axisNames": list(array.axis_names),
        "types": list(array.types),
    }


def read_ome(case):
    """The image as the validator understands it: it raises where the metadata is wrong, or a level is not there."""
    import zarr
    from ome_zarr_models import open_ome_zarr

    image = open_ome_zarr(zarr.open_group(case["path"], mode="r"))
    metadata = image.attributes
    version = image.ome_zarr_version
    multiscale = getattr(metadata, "ome", metadata).multiscales[0]
    return {
        "kind": type(image).__name__,
        "version": version,
        "axes": [[axis.name, axis.type, axis.unit] for axis in multiscale.axes],
        "levels": [
            {"path": level.path, "scale": level.coordinateTransformations[0].scale, "translation": level.coordinateTransformations[1].translation}
            for level in multiscale.datasets
        ],
    }


def read_downsample(case):
    """What tensorstore makes of the finest level by the factors of each level."""
    import tensorstore as ts

    finest = open_tensorstore(case["path"] + "/s0", case["zarrFormat"])
    return [content(ts.downsample(finest, factors, case["method"]).read().result()) for factors in case["factors"]]


def consolidate(case):
    import zarr

    zarr.consolidate_metadata(case["path"])
    return {}


READERS = {"zarr": read_zarr, "tensorstore": read_tensorstore, "funlib": read_funlib, "ome": read_ome, "downsample": read_downsample, "consolidate": consolidate}

if __name__ == "__main__":
    reader = READERS[sys.argv[1]]
    answer = {}
    for one in json.load(sys.stdin):
        try:
            answer[one["name"]] = reader(one)
        except Exception as error:  # noqa: BLE001
            answer[one["name"]] = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)
