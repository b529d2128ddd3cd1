"""How probes are fitted: classifiers, their solvers, sweeps over settings, saving."""
