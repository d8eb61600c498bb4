#!/usr/bin/env python3
"""Makes a tree with many names: `tree.py NEW_DIRECTORY 5000000`.

A fifth of the names stand in one directory, the others a hundred in each. All are links to few empty files, so that it needs
few inodes.
"""

import os
import sys

PER_FILE = 50_000


class Links:
    """Names for files, a new file for each so many."""

    def __init__(self, root):
        self.root, self.made = root, 0

    def add(self, directory, name):
        file = f"file-{self.made // PER_FILE}"
        if self.made % PER_FILE == 0:
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=self.root))
        os.link(file, name, src_dir_fd=self.root, dst_dir_fd=directory)
        self.made += 1


def main():
    path, left = sys.argv[1], int(sys.argv[2])
    os.makedirs(path)
    os.chdir(path)
    links = Links(os.open(".", os.O_RDONLY))
    sizes = [left // 5] + [100] * ((left - left // 5) // 100)
    for number, size in enumerate(sizes):
        name = f"{number // 100}/{number % 100}"
        os.makedirs(name)
        directory = os.open(name, os.O_RDONLY)
        for link in range(size):
            links.add(directory, f"a-name-as-long-as-others-{link}")
        os.close(directory)


if __name__ == "__main__":
    main()
