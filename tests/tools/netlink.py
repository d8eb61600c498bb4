#!/usr/bin/env python3
"""Prints what the kernel answers over netlink as files of a test host take it: messages in hexadecimal. Run as root.

    netlink.py audit            the status of auditing and the loaded rules: [audit_rules]
    netlink.py packet-filter    tables, chains, rules, sets and elements of nftables: [packet_filter]
"""
import socket
import struct
import sys

ERROR, DONE, DUMP, REQUEST = 2, 3, 0x300, 1


def padded(data):
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


def asked(link, kind, flags, body=b"", one=False):
    """The messages of one answer."""
    answer = []
    link.send(padded(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body))
    while True:
        data = link.recv(1 << 20)
        while data:
            length, found = struct.unpack_from("=IH", data)
            message, data = data[:length], data[-(-length // 4) * 4:]
            if found == ERROR:
                code = struct.unpack_from("=i", message, 16)[0]
                if code:
                    sys.exit(f"the kernel refuses: {-code}")
                continue
            if not (one and found == DONE):
                answer.append(padded(message))
            if found == DONE or one:
                return answer


def audit():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as link:
        link.bind((0, 0))
        return asked(link, 1000, 0, one=True) + asked(link, 1013, 0)


def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[:length]
        data = data[-(-length // 4) * 4:]


def packet_filter():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as link:
        link.bind((0, 0))
        subsystem, head = 10 << 8, lambda family: struct.pack("=BBH", family, 0, 0)
        answer = []
        for kind in (1, 4, 7, 10):
            answer += asked(link, subsystem | kind, DUMP, head(0))
        for message in [message for message in answer if struct.unpack_from("=IH", message)[1] == subsystem | 9]:
            names = b"".join(padded(whole) for kind, whole in attributes(message[20:]) if kind & 0x3fff in (1, 2))
            answer += asked(link, subsystem | 13, DUMP, head(message[16]) + names)
        return answer


for message in {"audit": audit, "packet-filter": packet_filter}[sys.argv[1]]():
    text = message.hex()
    # Long messages end in what is not used.
    print("\n".join(text[at:at + 160] for at in range(0, len(text), 160)))
