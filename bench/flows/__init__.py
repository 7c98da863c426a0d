"""What a complete flow costs: the parts of ``manage.py bench_flows``; docs/benchmarks.md says what its lines mean."""
