"""What two or more of daemons, keeper and api share, in rooms; arrows inside point down.

life (process manners), match, posting, text, net, store, and the two leaves errors and backoff.
"""
