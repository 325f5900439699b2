"""What is this machine, and what is another."""

import socket

import psutil

from .address import Address


def is_local(url: str) -> bool:
    """Whether a URL names this machine, by a numeric address or as localhost. No name is looked up."""
    try:
        host = Address.parse(url).host
    except ValueError:
        return False
    return host == "localhost" or host.startswith("127.") or host == "::1" or host in _own_addresses()


def _own_addresses() -> set[str]:
    return {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in {socket.AF_INET, socket.AF_INET6}
    }
