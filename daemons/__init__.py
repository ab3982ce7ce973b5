"""The actors, one folder per domain: its actor, its pure logic, its commands."""
