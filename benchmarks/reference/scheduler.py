"""daisy 2 on blocks that do nothing. Case: {how, blocks: [z, y, x], conflict, workers}.

how: core (acquire and release in one thread, no processes), workers (run_blockwise with worker processes), resume (the same when
all blocks are done already). Blocks are 10 units wide; with conflicts each reads 4 more on every side. Making the task and
its schedule is timed: it is part of a run. Done markers are kept where there are worker processes, as ours always does.
"""

import os
import tempfile

import daisy

from side import serve, settings

case = settings()
SIZE, CONTEXT = 10, 4
dimensions = len(case["blocks"])
context = CONTEXT if case["conflict"] else 0
count = 1
for extent in case["blocks"]:
    count *= extent


def no_op(block):
    pass


def task(**options):
    return daisy.Task(
        "no-op",
        total_roi=daisy.Roi([0] * dimensions, [extent * SIZE + 2 * context for extent in case["blocks"]]),
        read_roi=daisy.Roi([0] * dimensions, [SIZE + 2 * context] * dimensions),
        write_roi=daisy.Roi([context] * dimensions, [SIZE] * dimensions),
        process_function=no_op,
        read_write_conflict=case["conflict"],
        fit="shrink",
        **options,
    )


def run_core():
    scheduler = daisy.Scheduler(task())
    done = 0
    while (block := scheduler.acquire_block("no-op")) is not None:
        block.status = daisy.BlockStatus.SUCCESS
        scheduler.release_block(block)
        done += 1
    return done, {"blocks": done}


def run_blockwise(markers):
    states = daisy.run_blockwise(
        task(max_workers=case["workers"], done_marker_path=markers),
        progress=False,
        return_states=True,
        summary=False,
        host="127.0.0.1",
    )
    return states["no-op"]


def run_workers():
    done = run_blockwise(tempfile.mkdtemp(dir=".")).completed_count
    return done, {"blocks": done}


def run_resume():
    done = run_blockwise("done").skipped_count
    return done, {"blocks": done}


os.chdir(tempfile.mkdtemp(dir=case["folder"]))
if case["how"] == "resume":
    run_blockwise("done")
serve({"core": run_core, "workers": run_workers, "resume": run_resume}[case["how"]])
