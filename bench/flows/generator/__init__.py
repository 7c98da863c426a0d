"""The load generator, a process without Django: phones and their integrator, over HTTP and nothing else."""
