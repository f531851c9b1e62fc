"""Which methods of a store of files are timed, and what counts as its failure."""

from core import errors, metrics

_FAILURES = (errors.StorageUnavailable,)
_WHOLE = {
    "put_file": "put",
    "put_bytes": "put",
    "copy_many": "copy",
    "read_bytes": "read",
    "stat": "stat",
    "delete": "delete",
    "delete_many": "delete",
    "delete_below": "delete",
}
_IN_PIECES = {"stream": "read", "files": "list"}


def measure(store: type) -> None:
    """Time the methods that a class of stores has of its own."""
    for names, measured in ((_WHOLE, metrics.storage), (_IN_PIECES, metrics.storage_stream)):
        for name, op in names.items():
            if name in vars(store):
                setattr(store, name, measured(op, failures=_FAILURES)(vars(store)[name]))
