"""Which host names mean this machine. Only such hosts may be reached by plain http. Pure."""

from ipaddress import ip_address


def is_loopback_host(host: str) -> bool:
    """True for localhost and for addresses of the loopback networks, False for every other name."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
