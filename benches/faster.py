#!/usr/bin/env python3
"""How much faster an audit is than docker-bench-security, on the same host with the same running containers.

    benches/faster.py PATH-TO-DOCKER-BENCH-SECURITY [N...]        by default with 10 and with 100 containers
"""

import statistics
import sys
import time

import lab
import peer

if len(sys.argv) < 2:
    sys.exit(__doc__)
counts = sorted(map(int, sys.argv[2:])) or [10, 100]
lab.enter()
command = peer.prepared(sys.argv[1])
engine = lab.Engine()
engine.image()
made = 0
print("| running containers | docker-bench-security | plimsoll audit, all checks | fastest of | times as fast |\n| ---: | ---: | ---: | ---: | ---: |")
for count in counts:
    engine.containers(count, running=True, first=made)
    made = count
    peers, ours = [], []
    # It takes so long that a few rounds of ours fit around each of its.
    for _ in range(3):
        for _ in range(5):
            began = time.perf_counter()
            lab.quiet(lab.audit())
            ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        peer.run(command)
        peers.append(time.perf_counter() - began)
    print(f"| {count} | {min(peers):.1f} s (median {statistics.median(peers):.1f} s) | {min(ours) * 1000:.0f} ms (median "
          f"{statistics.median(ours) * 1000:.0f} ms) | {len(peers)} and {len(ours)} | {min(peers) / min(ours):.0f} |", flush=True)
