"""What a measurement says: times in figures, and what processes use."""

import os
import statistics
from pathlib import Path


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
    for each in [pid, *_descendants(pid)]:
        try:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{each}/status").read_text().splitlines())
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            files = len(os.listdir(f"/proc/{each}/fd"))
        except OSError:
            continue
        found["MiB"] += int(status["VmRSS"].split()[0]) / 1024
        found["threads"] += int(status["Threads"])
        found["files"] += files
        found["CPU s"] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {name: round(value, 1) for name, value in found.items()}


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found
