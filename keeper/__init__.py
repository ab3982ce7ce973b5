"""The keeper: starts what should run, restarts what died or fell silent, stops all in order.

It never imports the daemons or the API. It starts them by argv, reads their heartbeats from the table `daemon`, and
therefore runs while any of them has a syntax error. `decide` is pure; everything else is a thin actor around it.
"""
