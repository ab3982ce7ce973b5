"""Ways out through proxies, for sources that the operator wants to be asked so.

A proxy is proved before it is used, rested after it failed, and never stands for the source: what it does wrong is
`ProxyFailed`. When none can be used nothing goes out, least of all directly.
"""
