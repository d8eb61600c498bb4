#!/usr/bin/env python3
"""Prints the audit rules that the kernel has loaded, as `[audit_rules]` of a host.toml takes them: netlink messages in hexadecimal. Run as root."""
import socket
import struct

LIST_RULES = 1013
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as link:
    link.bind((0, 0))
    link.settimeout(10)
    link.send(struct.pack("=IHHII", 16, LIST_RULES, 1 | 4, 1, 0))
    done = False
    while not done:
        data = link.recv(1 << 20)
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind == 2:            # the acknowledgement
                pass
            else:
                body = data[:length].ljust(-(-length // 4) * 4, b"\0")
                for at in range(0, len(body), 64):
                    print(body[at:at + 64].hex())
            done = done or kind == 3
            data = data[-(-length // 4) * 4:]
