"""Credits: what paid providers may cost, what they did cost, and the way to them."""
