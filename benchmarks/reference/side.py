"""One side of a comparison, as a process: load the input once, run whenever asked, say what a run cost.

Requests come as lines of JSON on standard input, and each is answered by one line of JSON on standard output:

    {"do": "run"}                     -> {"seconds": ..., "cpuSeconds": ..., "peakBytes": ..., ...}
    {"do": "write", "folder": PATH}   -> {"written": [...]}       the last result, for the check of equality

The end of standard input ends the process. The same in TypeScript: benchmarks/side.ts.

seconds     wall clock around the computation alone
cpuSeconds  user and system time, ended children included
peakBytes   growth of the resident memory during the run over what was resident before it, with the input loaded
"""

import ctypes
import gc
import json
import os
import resource
import sys
import time


def cpu_seconds():
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def _status(field):
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return None


def _begin_peak():
    """Gives freed memory back, forgets the highest resident size so far, returns the current one."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
        return _status("VmRSS")
    except (OSError, AttributeError):
        return None


def measured(run):
    """Calls run() and returns (its result, what it cost)."""
    before = _begin_peak()
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = run()
    seconds = time.perf_counter() - wall
    cost = {"seconds": seconds, "cpuSeconds": cpu_seconds() - cpu}
    cost["peakBytes"] = None if before is None else max(0, _status("VmHWM") - before)
    return result, cost


def serve(run, write=None, prepare=None):
    """Answers requests until standard input ends. `run()` -> result, or (result, extra fields); `write(result, folder)`;
    `prepare()` makes ready for a run and is not timed.

    Anything that libraries print goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    result = None

    def answer(record):
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "run":
            result = None
            if prepare is not None:
                prepare()
            result, cost = measured(run)
            if isinstance(result, tuple):
                result, extra = result
                cost.update(extra)
            answer(cost)
        elif request["do"] == "write":
            written = write(result, request["folder"]) if write is not None else []
            answer({"written": written})
        else:
            raise ValueError(f"unknown request {line!r}")


def settings():
    """The case, as JSON in the first argument."""
    return json.loads(sys.argv[1])
