"""Renews the lists that ``aae recipes`` and ``aae reproduce`` print, which ship with the package so that neither waits for torch.

The commit hook runs it where a recipe or a record has changed.
"""

from aae_core.cli.lists import renew

if __name__ == "__main__":
    renew()
