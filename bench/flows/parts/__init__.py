"""What ``manage.py bench_flows`` can measure, a module each; docs/benchmarks.md says what the lines mean."""
