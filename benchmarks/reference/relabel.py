"""Relabelling by a table, in one of several ways. Case: {labels, from, to: paths, how, reuse}.

how: fastremap (fastremap.remap with a dict), take (numpy's take of a dense table), searchsorted (numpy), volara (what its
Relabel task calls for a block), copy (no relabelling at all: the bound that memory sets). Making the dict, the dense table
or the sorted mapping is not timed. reuse (take and copy): into memory that is there, in place of new memory.
"""

import numpy as np

from side import serve, settings

case = settings()
labels, source, target = (np.load(case[name]) for name in ("labels", "from", "to"))
how, reuse = case["how"], case["reuse"]
existing = np.ones(labels.shape, np.uint64) if reuse else None

if how == "fastremap":
    import fastremap

    table = {0: 0, **dict(zip(source.tolist(), target.tolist()))}

    def run():
        return fastremap.remap(labels, table, preserve_missing_labels=True)

elif how == "take":
    table = np.zeros(int(source.max()) + 1, np.uint64)
    table[source] = target

    def run():
        # with an output, only the modes other than "raise" write to it directly
        return np.take(table, labels, out=existing, mode="wrap") if reuse else np.take(table, labels)

elif how == "searchsorted":
    # background is an entry of its own, so that every label is found
    keys, values = np.concatenate([[np.uint64(0)], source]), np.concatenate([[np.uint64(0)], target])

    def run():
        return values[np.searchsorted(keys, labels)]

elif how == "volara":
    from volara.blockwise.relabel import filter_mapping_to_block, prepare_mapping, replace_values_sorted, warmup_replace_values_sorted

    mapping = prepare_mapping(source.astype(np.int64), target.astype(np.int64))
    warmup_replace_values_sorted()

    def run():
        return replace_values_sorted(labels, *filter_mapping_to_block(labels, *mapping))

elif how == "copy":

    def run():
        np.copyto(existing, labels)
        return existing

else:
    raise ValueError(f"unknown way {how!r}")


def write(result, folder):
    np.save(f"{folder}/labels.npy", np.asarray(result, np.uint64).reshape(labels.shape))
    return ["labels.npy"]


serve(run, write)
