"""How figures are told."""

import statistics
from collections.abc import Mapping


def percentiles(seconds: list[float]) -> str:
    """Median, 95th and 99th percentile in milliseconds."""
    if len(seconds) < 2:
        return "too few"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return "  ".join(f"{name} {cuts[at] * 1000:7.1f}" for name, at in (("p50", 49), ("p95", 94), ("p99", 98))) + " ms"


def each(spent: Mapping[str, float], count: int) -> str:
    """CPU seconds by group as milliseconds of each flow, with their sum."""
    parts = {name: seconds * 1000 / max(count, 1) for name, seconds in spent.items()}
    told = "  ".join(f"{name} {value:.2f}" for name, value in parts.items())
    return f"total {sum(parts.values()):.2f} ms = {told}"


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was added, by name."""
    return {name: after[name] - before[name] for name in after}
