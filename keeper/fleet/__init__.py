"""The fleet as its operator sees it: the map, whether it can work, and how it is."""
