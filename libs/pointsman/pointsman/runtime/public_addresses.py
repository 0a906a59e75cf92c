"""Which addresses are public: nothing that a workspace configures is called at another."""

import ipaddress


class AddressRefused(OSError):
    """The name leads to an address that is not public."""


def may_call(address: str, *, loopback: bool) -> bool:
    """Whether an IP address is public (RFC 6890), an IPv4 one inside an IPv6 one included."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return may_call(str(inner), loopback=loopback)
    if ip.is_loopback:
        return loopback
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
