"""scipy.ndimage.gaussian_filter with its defaults (reflect, truncate 4). Case: {values: path, sigma}."""

import numpy as np
from scipy.ndimage import gaussian_filter

from side import serve, settings

case = settings()
values = np.load(case["values"])


def run():
    return gaussian_filter(values, case["sigma"])


def write(smoothed, folder):
    np.save(f"{folder}/smoothed.npy", smoothed)
    return ["smoothed.npy"]


serve(run, write)
