"""Hermes: which occupation a title and a text name, by codes of KldB 2010, ISCO-08 and O*NET-SOC."""
