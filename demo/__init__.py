"""One business day on real processes: embedded servers, product, hospitals' agents, stand-ins for everybody else."""
