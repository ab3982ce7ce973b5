"""Squares of the map: how large the one around a place is, and its quarters where it holds too much for one answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib.text.gazetteer import Place

_METRES_PER_DEGREE = 111_320.0
_LEAST_HALF_M, _MOST_HALF_M = 1_200, 12_000
_METRES_PER_ROOT = 6.0
SMALLEST_HALF_M = 200


@dataclass(frozen=True)
class Square:
    """Its middle in degrees, and the metres from there to each edge."""

    lat: float
    lon: float
    half_m: int

    @classmethod
    def around(cls, place: Place) -> Square:
        """A town's area grows with its people: 1.2 km to the edge for a village, 12 km for Berlin."""
        half = int(_METRES_PER_ROOT * math.sqrt(max(place.population, 0)))
        return cls(place.lat, place.lon, min(_MOST_HALF_M, max(_LEAST_HALF_M, half)))

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """South, west, north and east in degrees, rounded to a metre or so."""
        north = self.half_m / _METRES_PER_DEGREE
        east = north / max(0.1, math.cos(math.radians(self.lat)))
        edges = (self.lat - north, self.lon - east, self.lat + north, self.lon + east)
        return (round(edges[0], 5), round(edges[1], 5), round(edges[2], 5), round(edges[3], 5))

    def quarters(self) -> tuple[Square, ...]:
        """Four squares that cover this one; none where it is too small to be cut."""
        half = math.ceil(self.half_m * 0.505)  # a degree of longitude is longer in the southern ones
        if half < SMALLEST_HALF_M:
            return ()
        south, west, north, east = self.edges
        lats, lons = ((3 * south + north) / 4, (south + 3 * north) / 4), ((3 * west + east) / 4, (west + 3 * east) / 4)
        return tuple(Square(round(lat, 6), round(lon, 6), half) for lat in lats for lon in lons)
