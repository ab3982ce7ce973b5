"""Telling people: every keeper reports what it sees, one of them tells it.

Each keeper writes the incidents of its host into `incident_report`. The holder of the lease `alerts` merges them by
key, decides what every channel should show (`plan`, pure), and sends what differs from what was shown. All of that is
in tables, so another keeper goes on where the last one stopped; while PostgreSQL itself is away the last holder goes
on alone, out of a file.

A message is told at least once: the intent is written before it is sent, its number after. Who dies in between leaves
an intent without a number, and the next one sends it again, marked as a repetition: twice is better than never.
"""
