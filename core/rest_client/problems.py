"""What can go wrong for who calls the API, each as one sentence for people; none holds the token."""


class ClientProblem(Exception):
    """Base of the tree; `str` is the sentence."""


class BadSetting(ClientProblem):
    """An address, a token or a wish that cannot be used; nothing was sent."""


class NotQuoted(ClientProblem):
    """The order is not what its confirmation was given for; nothing was sent."""


class NotTheApi(ClientProblem):
    """Something else than the API answers at this address."""


class Unreachable(ClientProblem):
    """Nobody answered for as long as was waited."""


class Refused(ClientProblem):
    """The API said no; `code` is its stable name, `status` that of HTTP."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class DownloadProblem(ClientProblem):
    """The file could not be written, or is not the one that it should be."""
