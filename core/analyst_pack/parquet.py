"""Writes rows of a table as Parquet, a row group after another; PyArrow is loaded when the first file is begun."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from core.analyst_pack.columns import Kind, Table

if TYPE_CHECKING:
    import pyarrow


def schema(table: Table) -> pyarrow.Schema:
    """The columns with their types, and their meanings where a tool shows them."""
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.WORD: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.MOMENT: pa.timestamp("us", tz="UTC"),
        Kind.DAY: pa.date32(),
    }
    told = {each.name: {"meaning": each.meaning, "unit": each.unit} for each in table.columns}
    return pa.schema([pa.field(each.name, types[each.kind], metadata=told[each.name]) for each in table.columns])


class ParquetFile:
    """A file that is being written to somewhere that takes bytes and cannot seek; closed with its block.

    When the block breaks off, so does the file: it has no foot, and no reader takes it for a whole one.
    """

    def __init__(self, table: Table, target: BinaryIO, *, group_rows: int) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._schema = schema(table)
        self._outlet = _Outlet(target)
        self._writer = parquet.ParquetWriter(
            pa.PythonFile(self._outlet, mode="w"),
            self._schema,
            compression="zstd",
            use_dictionary=[each.name for each in table.columns if each.kind is Kind.WORD],
        )
        self._group_rows = group_rows
        self._waiting: list[pyarrow.RecordBatch] = []
        self._waiting_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write_group()
        else:
            self._outlet.is_broken_off = True
        self._writer.close()

    def write(self, columns: Sequence[Sequence[Any]]) -> None:
        """Add rows, given column by column."""
        import pyarrow as pa

        arrays = [pa.array(values, each.type) for values, each in zip(columns, self._schema, strict=True)]
        batch = pa.record_batch(arrays, schema=self._schema)
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= self._group_rows:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._waiting_rows)
        self._waiting, self._waiting_rows = [], 0


class _Outlet:
    """What PyArrow writes to: it asks where it stands, which an entry of a ZIP file does not know of itself."""

    closed = False
    is_broken_off = False
    """Nothing is handed on any more."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._at = target, 0

    def write(self, data: bytes) -> int:
        """Hand it on."""
        if not self.is_broken_off:
            self._target.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._at

    def flush(self) -> None:
        """Whoever has opened the target flushes it."""

    def close(self) -> None:
        """Whoever has opened the target closes it."""
