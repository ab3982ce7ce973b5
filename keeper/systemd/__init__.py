"""The keeper of a server: systemd's units over D-Bus, the journal, cgroup files, and the service around them."""
