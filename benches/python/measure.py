"""What the peers' programs have in common: threads, time and memory, as benches/src/bin/step.rs has them."""

import statistics
import time
from pathlib import Path

import torch


def use(threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)


def reset_peak_memory():
    """Makes the memory in use now the peak; 5 is the one of clear_refs' commands that concerns VmHWM."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def summary(seconds):
    """The median that a figure is, and the quartiles that tell of a busy machine."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return statistics.median(ordered), [ordered[last // 4], ordered[last - last // 4]]
