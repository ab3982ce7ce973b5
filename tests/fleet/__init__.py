"""The rehearsal: real systemd hosts on one machine, the fleet rolled out to them over SSH, and what breaks there."""
