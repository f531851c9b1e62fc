"""Order a clip: what it shall be, what it costs, and what is under way."""

from collections.abc import Sequence

import streamlit as st

from core import access, config, db, errors, generations, history, ledger, pricing, projects, provider_status
from core.models import ENDED_STATUSES, Generation
from core.providers import registry
from core.video import VideoModel
from pages import clip, components, draft, gallery, intent, model_picker, under_way, visitor, wording

RECENT = 6

person = visitor.person()
settings = config.settings()
configured = access.configured(settings)


def first_project() -> None:
    """Make a project for somebody who has none."""
    with components.calm(), db.session() as session:
        projects.create(session, person, name="My first project")


def choose_project(names: dict[str, str]) -> str:
    """The project that the clip will belong to."""
    draft.keep_fitting("project", list(names), next(iter(names)))
    chosen: str = st.selectbox(
        "Project",
        list(names),
        key=draft.name("project"),
        format_func=lambda known: names[known],
        persist_state="session",
    )
    return chosen


def choose_model() -> VideoModel:
    """The model; what it makes decides the settings below."""
    models = sorted(registry.models(), key=lambda model: model.provider not in configured)
    usable = [model.id for model in models if model.provider in configured]
    draft.keep_fitting("model", [model.id for model in models], (usable or [models[0].id])[0])
    chosen = str(st.session_state[draft.name("model")])
    picked = model_picker.show(models, chosen=chosen, configured=configured, key="generate_model_picker")
    if picked and picked != chosen:
        st.session_state[draft.name("model")] = picked
        st.rerun()
    model = registry.model(chosen)
    st.caption(" ".join((model.description, *model.limits)))
    if len(usable) < len(models):
        st.caption("Models that are not configured wait for an administrator to add their provider's key.")
    with db.session(read_only=True) as session:
        trouble = provider_status.troubles(session).get(registry.model(chosen).provider)
    if trouble:
        st.warning(trouble, icon=":material/warning:")
    return model


def write_prompt(model: VideoModel) -> str:
    """What the clip shall show."""
    written = str(st.session_state.get(draft.name("prompt"), ""))
    text = st.text_area(
        "Prompt",
        key=draft.name("prompt"),
        placeholder="What should be seen? Say subject, movement, place, light and camera.",
        height=120,
        max_chars=model.prompt_limit_chars if len(written) <= model.prompt_limit_chars else None,
        persist_state="session",
    )
    return text or ""


def choose_settings(model: VideoModel) -> tuple[str, int, str]:
    """Resolution, duration in seconds and aspect ratio, only what the model can make."""
    with st.container(horizontal=True, gap="medium"):
        resolution = draft.pick("Resolution", "resolution", model.resolutions, "720p")
        seconds = draft.pick("Length", "seconds", model.durations, model.default_seconds, lambda s: f"{s} s")
        ratio = draft.pick("Aspect ratio", "ratio", model.aspect_ratios, "16:9")
    return resolution, seconds, ratio


def order_for(project_id: str, model: VideoModel, prompt: str) -> generations.Order:
    """Draw the rest of the form; what is asked for in all."""
    resolution, seconds, ratio = choose_settings(model)
    negative = draft.negative_prompt(model)
    with st.container(horizontal=True, gap="medium"):
        audio = draft.switch("Sound", "audio", offered=model.audio, price=pricing.AUDIO_CREDITS)
        enhance = draft.switch(
            "Enhance the prompt", "enhance", offered=model.prompt_enhancement, price=pricing.PROMPT_ENHANCEMENT_CREDITS
        )
    start, end = draft.images(person, model, settings)
    return generations.Order(
        project_id=project_id,
        model_id=model.id,
        prompt=prompt,
        resolution=resolution,
        duration_seconds=seconds,
        aspect_ratio=ratio,
        negative_prompt=negative,
        start_image_key=start,
        end_image_key=end,
        generate_audio=audio,
        enhance_prompt=enhance,
    )


def price_card(order: generations.Order, model: VideoModel, balance: ledger.Balance) -> None:
    """What it costs line by line, what is left, and the button."""
    price = generations.quote(order)
    after = balance.available_credits - price.total_credits
    with st.container(border=True):
        components.breakdown([(wording.line(x.kind, x.percent), x.credits) for x in price.lines], price.total_credits)
        left = f"{wording.credits(after)} left" if after >= 0 else f"{wording.credits(-after)} too few"
        st.caption(f"You have {wording.credits(balance.available_credits)} credits; {left} after this one.")
        problems = generations.validate(order.trimmed())
        wanting = problems.pop("prompt", None)
        blocked = _blocked(model, problems, after)
        label = f"Generate for {wording.priced(price.total_credits)}"
        # Not disabled for a missing prompt: the text only arrives when its field is left, with this very click.
        if st.button(label, type="primary", width="stretch", disabled=blocked is not None, key="generate_button"):
            place_order(order)
        if reason := blocked or wanting:
            st.caption(f":material/info: {reason}")


def _blocked(model: VideoModel, problems: dict[str, str], after: int) -> str | None:
    """Why the button cannot be pressed, as a sentence."""
    if model.provider not in configured:
        return errors.ProviderNotConfigured.sentence
    if problems:
        return next(iter(problems.values()))
    if after < 0:
        return f"This needs {wording.priced(-after)} more than you have. {errors.InsufficientCredits.sentence}"
    return None


def place_order(order: generations.Order) -> None:
    """Submit once; the page then shows it under way."""
    try:
        with intent.key("generate", order.trimmed().digest()) as key, db.session() as session:
            row = generations.submit(
                session,
                person,
                order,
                configured=configured,
                quota_bytes=settings.storage_quota_bytes,
                idempotency_key=key,
            )
    except errors.AppError as problem:
        components.error_box(problem)
        return
    components.announce(f"Ordered. {wording.priced(row.credits)} are reserved until the clip is here.")
    st.rerun()


def recent(rows: Sequence[Generation]) -> None:
    """The newest that ended, to play at once."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.header("Latest clips", anchor=False, width="content")
        st.page_link("history.py", label="All clips", icon=":material/grid_view:")
    if opened := gallery.show(rows, key="generate_recent"):
        clip.open_it(opened)


with components.calm():
    draft.take_over(person)
    with db.session(read_only=True) as session:
        wanted = st.session_state.get(draft.name("project"))
        names = components.project_names(session, person, archived=False, wanted=wanted)
        balance = ledger.balance(session, person.id)
        ended = history.browse(session, person, history.Filter(statuses=ENDED_STATUSES), limit=RECENT).rows
    if not names:
        components.empty_state(
            "A clip needs a project",
            "Projects keep clips together. Make one, and order your first clip.",
            icon="folder",
        )
        with st.container(horizontal_alignment="center"):
            st.button("Make my first project", type="primary", on_click=first_project)
        st.stop()
    form, side = st.columns([5, 3], gap="large")
    with form:
        project_id = choose_project(names)
        prompt_place = st.container()
        model = choose_model()
        with prompt_place:
            prompt = write_prompt(model)
        order = order_for(project_id, model, prompt)
    with side:
        price_card(order, model, balance)
        under_way.show(person)
    if ended:
        recent(ended)
    clip.dialog_if_open()
