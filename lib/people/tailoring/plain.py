"""Words that say nothing of a person, so that any suggested sentence may have them, and nouns that are no names."""

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
# Nouns of working life that are nobody's name. Written in German, any noun looks like one.
_NOUNS = """
Ablauf Abläufe Abteilung Analyse Anforderung Anfrage Angebot Angebote Angehörige Anlage Anlagen Antwort Antwortzeit
Anwendung Artikel Auftrag Aufträge Ausbau Ausfall Ausfallzeit Auswertung Automatisierung Bauteile Bedarf Bericht
Berichte Besprechung Bestand Bestellung Bestände Besucher Betreuung Betrieb Betrug Bewerber Bewohner Bilanz
Buchhaltung Büro Code Daten Datenbank Datenbanken Dienst Dienste Diensten Dienstleistung Dokumente Einführung
Einkauf Entwickler Entwicklerin Entwurf Ersatzteile Erzeugnisse Fahrzeug Fahrzeuge Fehler Fertigung Filiale Filialen
Finanzen Firma Forschung Funktion Gast Gebäude Geräte Geschäft Gespräche Gruppe Gruppen Gäste Handel Haus Haushalt
Infrastruktur Inhalte Intensivstation Kasse Kind Kinder Klasse Klassen Klienten Klinik Kollege Kollegen Kollegin
Kolleginnen Konten Konto Konzepte Kosten Krankenhaus Krankenpfleger Krankenpflegerin Kunde Kunden Kundin Kundinnen
Kundschaft Küche Laden Lager Leistung Lieferanten Lieferung Logistik Löhne Lösung Markt Maschine Maschinen Material
Maßnahmen Methode Methoden Mitarbeitende Mitarbeiter Mitarbeiterin Mitarbeitern Modell Modelle Monat Monate
Monatsabschluss Monatsabschlüsse Montage Netz Netzwerk Notaufnahme Nutzer Nutzerinnen Oberfläche Partner Patient
Patienten Patientin Patientinnen Personal Pflege Pflegekraft Plan Plattform Pläne Problem Probleme Produkt Produkte
Produktion Programm Programme Prozess Prozesse Prüfung Qualität Quelle Rechner Rechnung Rechnungen Reparatur Schicht
Schichten Schnittstelle Schnittstellen Schule Schulung Schüler Schülerinnen Sicherheit Software Softwareentwickler
Softwareentwicklerin Sprache Sprachen Stadt Station Statistik Steuern Studie Studien System Systeme Systemen Tag
Tage Teile Teilnehmer Termin Termine Test Tests Text Texte Tiere Umsetzung Unterlagen Unternehmen Unterricht
Verfahren Verkauf Verkehr Verkäufer Verkäuferin Vertrag Vertrieb Verträge Verwaltung Vorgänge Waren Wartezeit
Wartezeiten Wartung Werkstatt Werkzeug Werkzeuge Woche Wochen Wohnbereich Wunden Wundversorgung Zahl Zahlen Zahlung
Zahlungen Zeit Zeiten Ziel Ziele Zugriff
"""
PLAIN = frozenset((_ENGLISH + _GERMAN).split())
NOUNS = frozenset(_NOUNS.casefold().split())
