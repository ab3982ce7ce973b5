"""What a person's documents say: résumés read and kept, the profile in them, suggestions for an application. The top
room of lib: it may use every other one, and none of them knows it."""
