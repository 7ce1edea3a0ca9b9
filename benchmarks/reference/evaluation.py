"""VOI and adapted Rand error by scikit-image. Case: {segmentation, truth: paths}.

Both functions get one table, as both would make it for themselves; voxels with truth 0 are left out.
"""

import numpy as np
from skimage.metrics import adapted_rand_error, contingency_table, variation_of_information

from side import serve, settings

case = settings()
segmentation = np.load(case["segmentation"]).astype(np.int64)
truth = np.load(case["truth"]).astype(np.int64)


def run():
    table = contingency_table(truth, segmentation, ignore_labels=(0,), sparse_type="array")
    error, recall, precision = adapted_rand_error(table=table)
    # with a table the arrays are only checked for their shapes
    split, merge = variation_of_information(truth, segmentation, table=table / table.sum())
    return split, merge, error, recall, precision


def write(result, folder):
    np.save(f"{folder}/scores.npy", np.array(result, np.float64))
    return ["scores.npy"]


serve(lambda: (run(), {}), write)
