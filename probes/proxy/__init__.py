"""A relay before an engine that publishes no live count: bytes pass as they are, and beside them tokens are counted.

Every connection of a client has one connection to the engine, and what is read on the one is written to the other: no
message is taken apart and put together again, so headers, chunks, trailers, pipelining, upgrades and what no standard
knows arrive as they were sent. What is counted is read from a copy, with the parser of Node.js (llhttp, in httptools).
"""
