"""Arrays on disk with tensorstore or zarr-python, with as many threads as the case says, nothing cached between runs."""

import tensorstore
import zarr

THREADS = 2


def _tensorstore_context(sync):
    limit = {"limit": THREADS}
    return tensorstore.Context(
        {"data_copy_concurrency": limit, "file_io_concurrency": limit, "file_io_sync": sync, "cache_pool": {"total_bytes_limit": 0}}
    )


class Tensorstore:
    """sync: whether written files are synchronised, each before it is renamed."""

    can_sync = True

    def __init__(self, path, sync=False):
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}
        self._array = tensorstore.open(spec, open=True, context=_tensorstore_context(sync)).result()

    @property
    def shape(self):
        return self._array.shape

    def read(self, box):
        return self._array[box].read().result()

    def write(self, box, data):
        # Not with can_reference_source_data_indefinitely: in 0.1.86 whole chunks of uint8 arrays then come out as zeros.
        self._array[box].write(data).result()


class ZarrPython:
    """zarr-python cannot synchronise what it writes."""

    can_sync = False

    def __init__(self, path, sync=False):
        assert not sync
        zarr.config.set({"threading.max_workers": THREADS})
        self._array = zarr.open_array(str(path), mode="r+")

    @property
    def shape(self):
        return self._array.shape

    def read(self, box):
        return self._array[box]

    def write(self, box, data):
        self._array[box] = data


LIBRARIES = {"tensorstore": Tensorstore, "zarr-python": ZarrPython}


def box_of(begin, end):
    return tuple(slice(b, e) for b, e in zip(begin, end))
