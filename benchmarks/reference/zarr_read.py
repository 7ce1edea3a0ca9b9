"""Regions of a zarr array into new memory, one after the other. Case: {array: path, library, regions: [{begin, end}, ...]}."""

import numpy as np

from side import serve, settings
from stores import LIBRARIES, box_of

case = settings()
array = LIBRARIES[case["library"]](case["array"])
boxes = [box_of(region["begin"], region["end"]) for region in case["regions"]]


def run():
    return [array.read(box) for box in boxes]


def write(result, folder):
    for number, region in enumerate(result):
        np.save(f"{folder}/{number}.npy", region)
    return len(result)


serve(run, write)
