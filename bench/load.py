"""What a measurement says: times in figures, and what processes use."""

import contextlib
import os
import statistics
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def figures(seconds: list[float]) -> dict[str, str]:
    """Count, median, 95th percentile and longest of some times, in milliseconds."""
    if len(seconds) < 2:
        return {"count": str(len(seconds))}
    p95 = statistics.quantiles(seconds, n=20)[-1]
    found = {"median": statistics.median(seconds), "95th": p95, "longest": max(seconds)}
    return {"count": str(len(seconds))} | {name: f"{value * 1000:.0f} ms" for name, value in found.items()}


def stats_of(pid: int) -> dict[str, float]:
    """MiB resident, threads, open files and CPU seconds of a process and all that it started; Linux only."""
    found = {"MiB": 0.0, "threads": 0, "files": 0, "CPU s": 0.0}
    for each in [pid, *descendants(pid)]:
        try:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{each}/status").read_text().splitlines())
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            files = len(os.listdir(f"/proc/{each}/fd"))
        except OSError:
            continue
        found["MiB"] += int(status["VmRSS"].split()[0]) / 1024
        found["threads"] += int(status["Threads"])
        found["files"] += files
        found["CPU s"] += (int(fields[11]) + int(fields[12])) / TICKS
    return {name: round(value, 1) for name, value in found.items()}


def descendants(pid: int) -> list[int]:
    """Every process that this one started, and that those did; Linux only."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def cpu_times(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that have ended; `OSError` when it is gone. Linux only."""
    fields = [int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]
    return (fields[0] + fields[1]) / TICKS, (fields[2] + fields[3]) / TICKS


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of all that it started, those that have ended too; Linux only."""
    total = 0.0
    for each in [pid, *descendants(pid)]:
        with contextlib.suppress(OSError):
            total += sum(cpu_times(each))
    return total


def memory_of(pid: int) -> tuple[float, float]:
    """MiB resident of one process, and its share of them (PSS; 0 where that may not be read); Linux only."""
    found = {"Rss": 0, "Pss": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _colon, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0])
    return found["Rss"] / 1024, found["Pss"] / 1024
