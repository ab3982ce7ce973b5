"""What makes a process a good daemon: configuration, logs, metrics, systemd manners, and the actor that ties them."""
