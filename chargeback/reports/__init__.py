"""Reports: the questions of `kql/reports/`, made ready to run."""
