"""Euclidean distance transforms. Case: {mask: path, voxelSize, how}.

how: scipy (scipy.ndimage.distance_transform_edt, float64) or edt (edt.edt, float32, one thread; the volume's faces are no
background).
"""

import numpy as np

from side import serve, settings

case = settings()
mask = np.load(case["mask"])
size = case["voxelSize"]

if case["how"] == "scipy":
    from scipy.ndimage import distance_transform_edt

    def run():
        return distance_transform_edt(mask, sampling=size)

elif case["how"] == "edt":
    import edt

    binary = mask.astype(bool)

    def run():
        return edt.edt(binary, anisotropy=size, black_border=False, parallel=1)

else:
    raise ValueError(f"unknown way {case['how']!r}")


def write(distances, folder):
    np.save(f"{folder}/distances.npy", np.ascontiguousarray(distances, np.float64))
    return ["distances.npy"]


serve(run, write)
