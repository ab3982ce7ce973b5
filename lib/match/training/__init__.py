"""How the static table of `lib.match.static` is made: names of one occupation become neighbours. Plain numpy, one
to two minutes on one core, the same seed gives the same table."""
