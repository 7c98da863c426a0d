"""How figures are told."""

import statistics
from collections.abc import Mapping, Sequence


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


def counts(found: Mapping[str, float]) -> str:
    """Counters of PostgreSQL and Redis, in words."""
    names = {
        "xact_commit": "transactions",
        "xact_rollback": "rollbacks",
        "tup_inserted": "rows inserted",
        "tup_updated": "updated",
        "tup_deleted": "deleted",
        "sessions": "new sessions",
        "redis_commands": "Redis commands",
        "redis_connections": "Redis connections",
    }
    return ", ".join(f"{found[name]:.2f} {label}" for name, label in names.items())


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """What is added a minute over the later half of (seconds, value), by least squares; 0.0 of fewer than two."""
    later = samples[min(len(samples) // 2, max(len(samples) - 2, 0)) :]
    if len(later) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*later, strict=True)).slope * 60
