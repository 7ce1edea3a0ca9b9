"""python make.py FOLDER: pairs of label arrays and what scikit-image says of them, for the tests of evaluations."""

import json
import sys
from pathlib import Path

import numpy as np
import skimage
from skimage.metrics import adapted_rand_error, variation_of_information

folder = Path(sys.argv[1])
rng = np.random.default_rng(20251126)


def blobs(shape, cell, labels, background):
    """Boxes of random labels, some of them background, with a few voxels of noise."""
    small = rng.integers(1, labels + 1, [-(-n // cell) for n in shape])
    small[rng.random(small.shape) < background] = 0
    large = np.kron(small, np.ones([cell] * len(shape), int))[tuple(slice(0, n) for n in shape)]
    noise = rng.random(shape) < 0.05
    return np.where(noise, rng.integers(0, labels + 1, shape), large).astype(np.uint64)


truth = blobs((20, 24, 28), 5, 30, 0.2)
errors = blobs((20, 24, 28), 4, 60, 0.1)
# the truth with pieces cut off, and labels joined
cut = np.where(errors % 3 == 0, truth + 100 * (errors % 2), truth)
joined = np.where(cut > 20, cut - cut % 3, cut).astype(np.uint64)
flat = blobs((40, 50), 6, 12, 0.3)

cases = {
    "unrelated-3d": (blobs((20, 24, 28), 4, 40, 0.3), truth),
    "splits-and-merges-3d": (joined, truth),
    "no-background-2d": (blobs((40, 50), 5, 20, 0) + 1, flat + 1),
    "background-in-segmentation-2d": (np.where(rng.random(flat.shape) < 0.3, 0, flat), flat + 1),
    "background-in-truth-2d": (flat + 1, np.where(rng.random(flat.shape) < 0.3, 0, flat)),
    "equal-2d": (flat * 7, flat),
    "one-segment-2d": (np.ones_like(flat), flat),
    "one-segment-a-voxel-2d": (np.arange(1, flat.size + 1, dtype=np.uint64).reshape(flat.shape), flat),
}

index = {"scikit-image": skimage.__version__, "numpy": np.__version__, "cases": {}}
for name, (segmentation, of_truth) in cases.items():
    segmentation, of_truth = segmentation.astype(np.uint32), of_truth.astype(np.uint32)
    np.savez_compressed(folder / f"{name}.npz", segmentation=segmentation, truth=of_truth)
    index["cases"][name] = {}
    for rule, ignore in (("ignoreTruthBackground", (0,)), ("allVoxels", ())):
        # what it calls precision divides by the pairs of the truth
        error, recall, precision = adapted_rand_error(of_truth, segmentation, ignore_labels=ignore)
        split, merge = variation_of_information(of_truth, segmentation, ignore_labels=ignore)
        found = {"adaptedRandError": error, "randPrecision": precision, "randRecall": recall, "voiSplit": split, "voiMerge": merge}
        index["cases"][name][rule] = {key: None if np.isnan(value) else float(value) for key, value in found.items()}
(folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
