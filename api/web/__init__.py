"""The web client: pages for people, which conduct the flow from a few lines or a résumé to a posting.

Rendered here, by templates; htmx swaps what changes. Pages call the functions of the JSON API, in the same process.
"""
