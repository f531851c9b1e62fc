import pytest

from core.webserver import hosts


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8501", "localhost"),
        ("localhost.", "localhost"),
        ("localhost.:8501", "localhost"),
        ("localhost:", "localhost"),
        ("[::1]:8501", "::1"),
        ("video.Example.ORG:443", "video.example.org"),
        ("", None),
        (":8501", None),
        ("a b", None),
        ("user@localhost", None),
        ("localhost/path", None),
        ("localhost?x", None),
        ("localhost,evil.example", None),
        ("localhost:99999", None),
        ("localhost:x", None),
        ("[::1", None),
        ("local%68ost", None),
    ],
)
def test_name_of_a_host_header(host: str, name: str | None) -> None:
    """A host has no case, and neither its port nor the dot of the root is part of its name."""
    assert hosts.name_of(host) == name


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("Localhost.:1", True),
        ("127.0.0.1:8501", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]:80", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.1", False),
        ("192.0.2.1", False),
    ],
)
def test_local_name(host: str, local: bool) -> None:
    """Only names and addresses that nobody else can give this machine are its own."""
    assert hosts.is_local_name(host) is local


STRANGER = "8.8.8.8"


@pytest.mark.parametrize(
    "header",
    [
        *("x-real-ip", "x-forwarded-for", "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6", "x-client-ip"),
        *("x-cluster-client-ip", "fastly-client-ip", "fly-client-ip", "x-azure-clientip", "x-azure-socketip"),
        *("x-original-forwarded-for", "x-vercel-forwarded-for", "x-forwarded", "forwarded-for", "x-remote-addr"),
        *("x-appengine-user-ip", "x-envoy-external-address", "cloudfront-viewer-address", "x-originating-ip"),
        *("proxy-client-ip", "wl-proxy-client-ip", "client-ip", "remote-addr", "x-forwarded-client-ip"),
    ],
)
def test_header_of_a_proxy(header: str) -> None:
    """Whatever header a proxy says it in, a stranger is a stranger, and this machine is this machine."""
    assert hosts.speaks_for_a_stranger(header, STRANGER)
    assert hosts.speaks_for_a_stranger(header, f"127.0.0.1, {STRANGER}")
    assert hosts.speaks_for_a_stranger(header, "2001:db8::1")
    assert hosts.speaks_for_a_stranger(header, "")
    assert not hosts.speaks_for_a_stranger(header, "127.0.0.1")
    assert not hosts.speaks_for_a_stranger(header, "::1, 127.0.0.1")


@pytest.mark.parametrize(
    ("header", "value", "stranger"),
    [
        ("forwarded", "for=8.8.8.8", True),
        ("forwarded", "For=8.8.8.8;proto=https", True),
        ("forwarded", 'for="[2001:db8::1]:4711"', True),
        ("forwarded", "for=127.0.0.1, for=8.8.8.8", True),
        ("forwarded", "for=_hidden", True),
        ("forwarded", "for=unknown", True),
        ("forwarded", "for=127.0.0.1;host=evil.example", True),
        ("forwarded", "8.8.8.8", True),
        ("forwarded", 'for=127.0.0.1;host="localhost:8501";proto=https', False),
        ("forwarded", 'for="[::1]:99"', False),
        ("x-forwarded-host", "evil.example", True),
        ("x-original-host", "evil.example", True),
        ("x-forwarded-host", "localhost:8501", False),
        ("x-forwarded-proto", "https", False),
        ("x-forwarded-port", "443", False),
        ("x-forwarded-prefix", "/studio", False),
        ("host", "evil.example", False),
        ("user-agent", STRANGER, False),
    ],
)
def test_header_that_says_more_than_an_address(header: str, value: str, stranger: bool) -> None:
    """Pairs are taken apart, names count as addresses do, and what says for nobody is nobody's."""
    assert hosts.speaks_for_a_stranger(header, value) is stranger


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("video.example.org", True),
        ("VIDEO.example.org.:443", True),
        ("a.b.example.net", True),
        ("example.net", False),
        ("notexample.net", False),
        ("evil.example", False),
    ],
)
def test_listed_host(host: str, listed: bool) -> None:
    """A name is listed as it is, or below a star."""
    assert hosts.is_listed(host, ["Video.example.org", "*.example.net"]) is listed
    assert hosts.is_listed(host, ["*"])
