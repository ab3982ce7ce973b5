"""Words that say nothing of a person, so that any suggested sentence may have them."""

from __future__ import annotations

_ENGLISH = """
i my me i'm i've am as at in on of for the a an and or with by to from since during through where which that this
these it its is are was were have has had be been also while both such including include includes well over more
than into across within using used use based work worked working works job role position team teams experience
experienced experiences skills skill skilled knowledge background able ability years year after before there here
additionally furthermore moreover currently today present strong solid proven hands-on practical gained gain bring
brings brought offer offers combine combined combines having most recently previously earlier later daily regularly
area areas field fields task tasks project projects professional career
"""
_GERMAN = """
ich mein meine meinem meinen meiner mir mich bin habe hatte war als mit in im bei beim von vom zu zum zur der die
das den dem des ein eine einer einem einen eines und oder sowie auch durch für auf an am aus seit während nach vor
über unter dabei dort hier zudem außerdem darüber hinaus zuvor zuletzt aktuell derzeit heute sind ist wurde wird
werden konnte kann arbeite arbeitete gearbeitet tätig erfahrung erfahrungen erfahrene erfahrener erfahren kenntnis
kenntnisse kenntnissen fähigkeit fähigkeiten praxis jahr jahre jahren beruf berufs arbeit aufgabe aufgaben tätigkeit
tätigkeiten bereich bereiche bereichen rahmen einsatz umgang team teams stelle position rolle projekt projekte
projekten bringe verfüge besitze sammelte gesammelt sicher sichere gute guter praktische praktischer mehrere
verschiedene dazu gehören gehörte zählen anderem so wie sowohl insbesondere profil kompetenz kompetenzen schwerpunkt
schwerpunkte hintergrund
"""
PLAIN = frozenset((_ENGLISH + _GERMAN).split())
