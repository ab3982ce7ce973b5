"""The gateway: its own process, the only holder of paid providers' keys, and the only one that spends credits."""
