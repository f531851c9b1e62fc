import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.proxies import DIRECT, Proxies, proxy_address

ALL = Proxies(all="socks5://proxy.example:1080")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("https://user:pw@proxy.example", "https://user:pw@proxy.example"),
        ("socks5h://[::1]:9", "socks5h://[::1]:9"),
        (" proxy.example:3128 ", "http://proxy.example:3128"),
        ("", ""),
    ],
)
def test_proxy_address(value: str, address: str) -> None:
    """What other programs take as a proxy is one here, too."""
    assert proxy_address(value) == address


@pytest.mark.parametrize(
    "value", ["ftp://x:s3cret@h", "socks4://:s3cret@h", "http://", "http://h:s3cret", "http://h/s3cret"]
)
def test_proxy_address_when_it_is_none(value: str) -> None:
    """A proxy that cannot be used is told without its password."""
    with pytest.raises(ValueError, match="is not the address of a proxy") as refused:
        proxy_address(value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("proxies", "url", "proxy"),
    [
        (DIRECT, "https://vendor.example/", None),
        (ALL, "https://vendor.example/", "socks5://proxy.example:1080"),
        (ALL, "http://vendor.example/", "socks5://proxy.example:1080"),
        (
            Proxies(http="http://one:1", https="http://two:2", all="http://all:3"),
            "http://vendor.example/",
            "http://one:1",
        ),
        (
            Proxies(http="http://one:1", https="http://two:2", all="http://all:3"),
            "https://vendor.example/",
            "http://two:2",
        ),
        (Proxies(http="http://one:1"), "https://vendor.example/", None),
    ],
)
def test_of(proxies: Proxies, url: str, proxy: str | None) -> None:
    """A URL leaves by the proxy of its scheme, else by the one for all, else directly."""
    found = proxies.of(httpx.URL(url))
    assert (found and str(found)) == proxy


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_this_machine_is_never_reached_by_a_proxy(host: str) -> None:
    """Calls to this machine stay on it, whatever the environment says."""
    assert ALL.of(httpx.URL(f"http://{host}:8710/v1/jobs")) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("vendor.example", "vendor.example", True),
        ("vendor.example", "api.vendor.example", True),
        (".vendor.example", "api.vendor.example", True),
        ("*.vendor.example", "api.vendor.example", True),
        ("vendor.example", "notvendor.example", False),
        ("other.example, VENDOR.example ,", "vendor.example", True),
        ("*", "vendor.example", True),
        ("vendor.example:443", "vendor.example", True),
        ("vendor.example:8443", "vendor.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("2001:db8::/32", "[2001:db8::5]", True),
        ("[2001:db8::5]:443", "[2001:db8::5]", True),
        ("", "vendor.example", False),
        (",,.", "vendor.example", False),
    ],
)
def test_no_proxy(no_proxy: str, host: str, *, direct: bool) -> None:
    """NO_PROXY names hosts with all below them, addresses, networks and ports."""
    proxies = Proxies(all="http://proxy.example:3128", no_proxy=no_proxy)
    assert (proxies.of(httpx.URL(f"https://{host}/")) is None) is direct


@given(st.text("ab.*:[]/19,", max_size=20))
def test_no_proxy_never_raises(no_proxy: str) -> None:
    """Nonsense in NO_PROXY names nothing."""
    assert Proxies(all="http://proxy:1", no_proxy=no_proxy).of(httpx.URL("ftp://other.example")) in (
        None,
        httpx.URL("http://proxy:1"),
    )
