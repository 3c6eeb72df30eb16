#!/usr/bin/env -S python3 -B
"""The contract's cases about what is stored, on the only node of a topic."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib_kafka import contract  # noqa: E402

if __name__ == '__main__':
    contract.main(contract.Alone)
