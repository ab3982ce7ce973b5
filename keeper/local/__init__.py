"""The whole of Vakanz on one machine: the daemons as child processes, a simulated market, progress, examples."""
