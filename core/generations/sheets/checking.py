"""Checks a table line by line: what each orders and what it costs, or which cells need a change; it writes nothing."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core import errors, validation
from core.billing import pricing
from core.catalog import offered, rules
from core.generations import batches, notes, review
from core.generations.orders import Order
from core.generations.sheets import cells, columns
from core.generations.sheets.cells import CellError
from core.generations.sheets.checked import Allowed, CellNote, CheckedLine, CheckedTable, Defaults
from core.generations.sheets.columns import Column
from core.generations.sheets.surroundings import Surroundings, by_name
from core.generations.sheets.tables import Line, Table
from core.messages import Message, message
from core.providers.models import VideoModel
from core.spec import MAX_SEED, GenerationSpec


def check(table: Table, defaults: Defaults, around: Surroundings) -> CheckedTable:
    """Every line by itself; InvalidRequest for a table in which two columns say the same."""
    checker = _Checker(table, defaults, around)
    return CheckedTable(table, defaults, tuple(checker.check(place, line) for place, line in enumerate(table.lines)))


class _Checker:
    """One look through a table; what several lines share is looked up and priced once."""

    def __init__(self, table: Table, defaults: Defaults, around: Surroundings) -> None:
        self.heads = table.heads
        self.places = columns.places(table.heads)
        self.defaults = defaults
        self.around = around
        self.models = {entry.model.id: entry.model for entry in around.known.entries.values()}
        self.prices: dict[GenerationSpec, int | errors.InvalidRequest] = {}
        self.found_models: dict[str, VideoModel | CellNote] = {}

    def check(self, place: int, line: Line) -> CheckedLine:
        """What one line comes to."""
        if line.is_left_out:
            return CheckedLine(place, line)
        return _Row(self, line).checked(place)

    def head(self, column: Column) -> str:
        """What the table calls a column, or what we call one that it does not have."""
        return self.heads[self.places[column]] if column in self.places else columns.HEADS[column]

    def note(self, column: Column, said: Message, allowed: Sequence[str | int] = ()) -> CellNote:
        """Something to be said of a cell."""
        return CellNote(self.head(column), column, said, tuple(allowed))

    def model(self, text: str) -> VideoModel | CellNote:
        """The model that a cell names, by its id or its name, if it can be ordered; else why not."""
        if text not in self.found_models:
            self.found_models[text] = self._model(text)
        return self.found_models[text]

    def _model(self, text: str) -> VideoModel | CellNote:
        wanted = by_name(text)
        offering = [entry.model for entry in self.around.known.orderable(self.around.now)]
        named = [model for model in self.models.values() if wanted in (by_name(model.id), by_name(model.name))]
        exact = [model for model in named if wanted == by_name(model.id)] or named
        if len(exact) > 1:  # one that can be ordered is meant before those that cannot
            exact = [model for model in exact if model in offering] or exact
        if len(exact) > 1:
            ids = [model.id for model in exact]
            return self.note(Column.MODEL, message("cell_several_models", value=text, known=", ".join(ids)), ids)
        if not exact:
            names = {by_name(word): model for model in offering for word in (model.name, model.id)}
            near = difflib.get_close_matches(wanted, list(names), 1, 0.6)
            if near:
                nearest = names[near[0]]
                said = message("cell_no_model_but", value=text[:40], nearest=nearest.name)
                return self.note(Column.MODEL, said, [nearest.id])
            said = message("cell_no_model", value=text[:40])
            return self.note(Column.MODEL, said, [model.id for model in offering])
        model = exact[0]
        refused = offered.refusal(self.around.known, self.around.known.get(model.id), self.around.now)
        if refused is not None:
            return self.note(Column.MODEL, refused, [each.id for each in offering])
        if model.provider not in self.around.configured:
            no_key = errors.ProviderNotConfigured().message
            usable = [each.id for each in offering if each.provider in self.around.configured]
            return self.note(Column.MODEL, no_key, usable)
        return model

    def price(self, spec: GenerationSpec) -> int | errors.InvalidRequest:
        """Credits for one clip, or why it has no price; texts and seed change no price."""
        plain = replace(spec, prompt="", negative_prompt="", seed=None)
        if plain not in self.prices:
            try:
                self.prices[plain] = pricing.priced(plain, self.around.now, self.around.known).total_credits
            except errors.InvalidRequest as refused:
                self.prices[plain] = refused
        return self.prices[plain]


_OF_FIELD: Mapping[str, Column] = {column.value: column for column in Column}


class _Row:
    """One line under way: what could be read of it, and what could not."""

    def __init__(self, checker: _Checker, line: Line) -> None:
        self.checker = checker
        self.line = line
        self.faults: list[CellNote] = []
        self.remarks: list[CellNote] = []

    def checked(self, place: int) -> CheckedLine:
        """The line with its orders, or its faults; every cell is looked at, so that all faults are named at once."""
        project_id = self._project()
        prompt = self._text(Column.PROMPT)
        variations = self._number(Column.VARIATIONS, 1)
        tags, note = self._tags(), self._note()
        spec = self._spec(prompt)
        if variations is not None and not 1 <= variations <= batches.MAX_BATCH:
            self._fault(Column.VARIATIONS, message("cell_variations", limit=batches.MAX_BATCH))
        orders: tuple[Order, ...] = ()
        credits = 0
        if spec is not None:
            order = self._resolved(Order(project_id or "", spec))
            spec = order.spec
            self._judge(spec)
            self.faults = [self._with_right(fault, spec) for fault in self.faults]
            price = self.checker.price(spec)
            if isinstance(price, errors.InvalidRequest):
                self._say_unpriced(price)
            if not self.faults and project_id is not None and variations is not None and isinstance(price, int):
                orders = tuple(_variation(order, nth) for nth in range(variations))
                credits = price * variations
        return CheckedLine(
            place, self.line, orders, credits, tuple(tags), note, tuple(self.faults), tuple(self.remarks)
        )

    def _resolved(self, order: Order) -> Order:
        """The order with references and words in place of the names in its prompt."""
        found, made = self.checker.around.resolve(order)
        for problem in rules.first_of_each_field(found.problems):
            self._fault(_OF_FIELD.get(problem.field, Column.PROMPT), problem.message)
        return made

    def _spec(self, prompt: str) -> GenerationSpec | None:
        """What the cells come to; None where the model is not known, or something cannot be read."""
        model = self._model()
        audio = self._switch(Column.SOUND, self.checker.defaults.generate_audio)
        enhance = self._switch(Column.ENHANCE, self.checker.defaults.enhance_prompt)
        seed, fps = self._number(Column.SEED, None), self._number(Column.FPS, None)
        start, end = self._image(Column.START_IMAGE), self._image(Column.END_IMAGE)
        negative = self._text(Column.NEGATIVE_PROMPT)
        defaults = self.checker.defaults
        length = self._read(Column.SECONDS, cells.seconds, defaults.duration_seconds)
        shape = self._read(Column.RATIO, cells.ratio, defaults.aspect_ratio)
        size = self._read(Column.RESOLUTION, cells.resolution, defaults.resolution)
        if model is None:
            return None
        return GenerationSpec(
            model_id=model.id,
            prompt=prompt,
            negative_prompt=negative,
            resolution=_offered_as(size, model.resolutions) or _usual(model.resolutions, "720p"),
            duration_seconds=model.default_seconds if length is None else length,
            aspect_ratio=_offered_as(shape, model.aspect_ratios) or _usual(model.aspect_ratios, "16:9"),
            generate_audio=bool(audio),
            enhance_prompt=bool(enhance),
            seed=seed,
            fps=fps or None,
            start_image_key=start,
            end_image_key=end,
        ).trimmed()

    def _judge(self, spec: GenerationSpec) -> None:
        unread = {fault.column for fault in self.faults}
        for problem in rules.first_of_each_field(rules.problems(self.checker.models[spec.model_id], spec)):
            column = _OF_FIELD.get(problem.field, Column.PROMPT)
            if column in unread:
                continue
            said = problem.message
            if not self._cell(column) and self._has_default(column):
                said = message("cell_settings_of_table", problem=said)
            self._fault(column, said, _as_written(column, problem.allowed))

    def _with_right(self, fault: CellNote, spec: GenerationSpec) -> CellNote:
        """What could stand in a cell that cannot be read, where that is one of a few values of the row's model."""
        field = _CHOICES.get(fault.column)
        if fault.allowed or field is None:
            return fault
        choices = rules.choices_of(self.checker.models[spec.model_id], spec, field)
        return replace(fault, allowed=tuple(choice.value for choice in choices if choice.reason is None))

    def _has_default(self, column: Column) -> bool:
        defaults = self.checker.defaults
        return {
            Column.RESOLUTION: defaults.resolution is not None,
            Column.SECONDS: defaults.duration_seconds is not None,
            Column.RATIO: defaults.aspect_ratio is not None,
            Column.SOUND: defaults.generate_audio,
            Column.ENHANCE: defaults.enhance_prompt,
        }.get(column, False)

    def _cell(self, column: Column) -> str:
        place = self.checker.places.get(column)
        return "" if place is None else self.line.cells[place]

    def _fault(self, column: Column, said: Message, allowed: Sequence[str | int] = ()) -> None:
        self.faults.append(self.checker.note(column, said, allowed))

    def _read(self, column: Column, read: Any, otherwise: Any) -> Any:
        """What a cell says by one of the readers of `cells`, or else; a fault for one that cannot be read."""
        text = self._cell(column)
        if not text:
            return otherwise
        try:
            value, note = read(text)
        except CellError as wrong:
            self._fault(column, wrong.message, _RIGHT.get(column, ()))
            return otherwise
        if note is not None:
            self.remarks.append(self.checker.note(column, note))
        return value

    def _number(self, column: Column, otherwise: int | None) -> int | None:
        found: int | None = self._read(column, cells.whole, otherwise)
        if column is Column.SEED and found is not None and not 0 <= found <= MAX_SEED:
            self._fault(column, message("seed_out_of_range", limit=MAX_SEED))
            return None
        if column is Column.FPS and found is not None and not 0 <= found <= 1000:
            self._fault(column, message("cell_not_whole", value=str(found)))
            return None
        return found

    def _switch(self, column: Column, otherwise: bool) -> bool:
        return bool(self._read(column, cells.yes_or_no, otherwise))

    def _text(self, column: Column) -> str:
        text = self._cell(column)
        if text.startswith("="):
            self.remarks.append(self.checker.note(column, message("cell_formula_is_text")))
        return text

    def _model(self) -> VideoModel | None:
        text = self._cell(Column.MODEL) or self.checker.defaults.model_id
        if not text:
            self._fault(Column.MODEL, message("cell_missing_model"))
            return None
        found = self.checker.model(text)
        if isinstance(found, CellNote):
            self.faults.append(found)
            return None
        return found

    def _project(self) -> str | None:
        text = self._cell(Column.PROJECT) or self.checker.defaults.project_id
        if not text:
            self._fault(Column.PROJECT, message("cell_missing_project"))
            return None
        ids = self.checker.around.projects.get(text) or self.checker.around.projects.get(by_name(text), ())
        if len(ids) == 1:
            return ids[0]
        if ids:
            self._fault(Column.PROJECT, message("cell_several_projects", value=text[:40]), ids)
        else:
            by_id = self.checker.around.project_names
            names = list(by_id.values())
            near = difflib.get_close_matches(text, names, 3, 0.6)
            usual = by_id.get(self.checker.defaults.project_id or "")
            right = list(dict.fromkeys(filter(None, [*near[:2], usual, *(near or names)])))[:3]
            self._fault(Column.PROJECT, message("cell_no_project", value=text[:40]), right)
        return None

    def _image(self, column: Column) -> str | None:
        text = self._cell(column)
        if not text:
            return None
        images = self.checker.around.images
        keys = images.get(text) or images.get(by_name(text), ())
        if len(keys) == 1:
            return keys[0]
        if keys:
            known = ", ".join(keys)
            self._fault(column, message("cell_several_images", value=text[:40], known=known), keys)
        elif text.lower().startswith(("http://", "https://")):
            self._fault(column, message("cell_image_is_address"))
        else:
            self._fault(column, message("cell_no_image", value=text[:80]))
        return None

    def _tags(self) -> list[str]:
        words = self._cell(Column.TAGS).replace(";", ",").split(",")
        try:
            return review.clean_tags(words)
        except errors.InvalidRequest as wrong:
            self._fault(Column.TAGS, wrong.fields["tags"])
            return []

    def _note(self) -> str:
        text = self._cell(Column.NOTE)
        if wrong := validation.text_error(text, limit_chars=notes.TEXT_LIMIT_CHARS):
            self._fault(Column.NOTE, wrong)
        return text

    def _say_unpriced(self, refused: errors.InvalidRequest) -> None:
        """Name what has no price, unless it was named already."""
        named = {fault.column for fault in self.faults}
        for name, said in refused.fields.items():
            if (column := _OF_FIELD.get(name, Column.MODEL)) not in named:
                self._fault(column, said)


_RIGHT: Mapping[Column, Allowed] = {Column.SOUND: ("yes", "no"), Column.ENHANCE: ("yes", "no")}
"""What would be right in a cell that cannot be read, where that is the same for every model."""

_CHOICES: Mapping[Column, str] = {Column.SECONDS: "seconds", Column.RATIO: "ratio", Column.RESOLUTION: "resolution"}
"""Columns whose cells are one of a few values -> their field in the rules of models."""


def _as_written(column: Column, allowed: Sequence[str | int]) -> Allowed:
    """Values of a rule as one writes them into a cell; an empty text is a cell without anything in it."""
    if column in (Column.SOUND, Column.ENHANCE):
        return tuple("yes" if value else "no" for value in allowed)
    if column in (Column.SEED, Column.NEGATIVE_PROMPT, Column.START_IMAGE, Column.END_IMAGE):
        return ("",) if tuple(allowed) == (0,) else ()
    return tuple(value or "" for value in allowed) if column is Column.FPS else tuple(allowed)


def _offered_as(text: str | None, words: Sequence[str]) -> str | None:
    """A word as the model writes it, where only its case differs."""
    if text is None:
        return None
    return next((word for word in words if word.casefold() == text.casefold()), text)


def _usual(words: Sequence[str], preferred: str) -> str:
    return preferred if preferred in words else words[0]


def _variation(order: Order, nth: int) -> Order:
    """One of several of the same: with a seed, the next one, since the same would give the same clip again."""
    if order.spec.seed is None:
        return order
    seed = (order.spec.seed + nth) % (MAX_SEED + 1)
    written = order.written and replace(order.written, seed=seed)
    return replace(order, spec=replace(order.spec, seed=seed), written=written)
