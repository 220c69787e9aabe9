"""Export: a model in; its file, its card, its other forms and its address for programs out. Models come back, too."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core.data.safe_names import safe_name
from core.deploy.bundle_text import SOURCES, model_card, predict_script
from core.deploy.formats import lacking
from core.deploy.imported import delete_imported, import_model, list_imported
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.ui import cache, dialogs, exporting, forms, models, page, state
from core.ui.identity import COOKIE
from core.ui.models import Model
from core.workspace import Workspace, new_id

CARD_PX = 430
UPLOAD_MB = 256
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=ww)(?=w\.)|(?=@)", re.IGNORECASE)  # where an address would be noticed


def choose() -> Model:
    """Choose the model to take along."""
    found = models.list_models(state.workspace())
    wanted = state.from_address("model")
    current = next((model for model in found if model.id == wanted), found[0])
    if wanted and current.id != wanted:
        state.put("model", None)
        page.show_error(LabError(f"There is no model {wanted[:40]!r} in this workspace.", hint=read("export", "gone")))
    return forms.model(found, current)


def card_of(model: Model) -> dict[str, Any] | None:
    """What is known about a model, for its card; None, with the reason on the page, when its file is damaged."""
    try:
        return exporting.card(model)
    except LabError as error:
        page.see(page.say("export", "cannot", reason=error.message, hint=error.hint), "attention")
        return None


def take(model: Model, card: dict[str, Any]) -> None:
    """The one button: the whole model as a file, and what is in it; below it, folded, the other ways to use it."""
    source = SOURCES[card["architecture"]["backbone"]]
    label = page.say("export", "download", size=exporting.megabytes(card))
    with st.container(key="card-export"):
        st.html(f'<a class="download" href="/model/{model.id}.zip" download>{label}</a>')
        lines = len(predict_script(card).splitlines())
        st.markdown(page.say("export", "inside", lines=lines, library=source.library))
    _other_forms(model)
    _program(model)


def show_card(card: dict[str, Any]) -> None:
    """The README as others will read it, and what stands in it about mistakes in one sentence."""
    wrong, of = card["metrics"]["wrong"], card["metrics"]["of"]
    page.see(page.say("export", "score" if wrong else "score_perfect", wrong=wrong, of=of))
    st.html(f'<p class="note">{esc(read("export", "card"))}</p>')
    title, _, rest = model_card(card, safe=_no_link).partition("\n")
    with st.container(height=CARD_PX, border=True, key="export-card"):
        st.markdown(f"##### {title.lstrip('# ')}\n" + rest.replace("\n## ", "\n###### "))


def _no_link(name: str) -> str:
    """A name as harmless text that no reader of Markdown takes for an address: those look at it after the escapes."""
    return esc(_ADDRESS.sub("\u2060", name))


def _other_forms(model: Model) -> None:
    """ONNX and torch.export, folded: made on the disk when somebody asks, then offered."""
    with st.expander(read("export", "other_title"), icon=":material/deployed_code:"):
        page.note(read("export", "other"))
        for form in ("onnx", "pt2"):
            missing = lacking(form)
            if missing:
                packages = " and ".join(missing)
                page.note(page.say("export", "lacking_onnx", packages=packages, install=" ".join(missing)))
            else:
                _form(model, form)


def _form(model: Model, form: str) -> None:
    slot, stamp = f"export.{form}", [model.id, model.saved_at]
    if state.get(slot) == stamp:
        label = page.say("export", "made", name=f"model.{form}")
        st.html(f'<a class="download" href="/model/{model.id}.{form}" download>{label}</a>')
    elif st.button(read("export", f"make_{form}"), key=slot, icon=":material/build:"):
        with st.spinner(read("export", "making")), page.boundary():
            path, _ = exporting.make(state.workspace(), model, form)
            path.unlink(missing_ok=True)
            state.put(slot, stamp)
            st.rerun()


def _program(model: Model) -> None:
    """How a program asks this model, folded: the real address of this server."""
    settings = cache.settings()
    with st.expander(read("export", "program_title"), icon=":material/terminal:"):
        host = (st.context.url or "http://localhost:8501").split("/export", 1)[0].rstrip("/")
        cookie = f" \\\n-b {COOKIE}=…" if settings.profile == "class" and model.id != models.DEMO else ""
        st.code(
            f"curl -F image=@photo.jpg{cookie} \\\n{host}/api/v1/predict/{model.id}", language="bash", wrap_lines=True
        )
        words = {"describe": f"{host}/api/v1/openapi.json"}
        limits = {"per_minute": settings.api_per_minute, "max_mb": settings.api_max_mb}
        page.note(page.say("export", "program", **words, **limits))
        if cookie:
            page.note(read("export", "program_class"))


def bring() -> None:
    """The way in for a model that somebody took along, and the list of those that came, folded."""
    workspace = state.workspace()
    with st.expander(read("export", "bring_title"), icon=":material/upload_file:"):
        page.note(read("export", "bring"))
        most = min(UPLOAD_MB, cache.settings().max_upload_mb)
        key = f"export.bring.{state.get('export.round', 0)}"
        file = st.file_uploader("A model", type=["zip"], key=key, label_visibility="collapsed", max_upload_size=most)
        if file is not None:
            with page.boundary():
                _take_in(workspace, file)
        _report()
        for model in list_imported(workspace):
            _one(models.find_model(workspace, model.id))


def _take_in(workspace: Workspace, file: Any) -> None:
    """Check an upload on the disk and keep it; what cannot be used is deleted and leaves a sentence."""
    known = {model.id for model in list_imported(workspace)}
    folder = workspace.cache / "exports" / new_id()
    folder.mkdir(parents=True)
    path = folder / (safe_name(Path(file.name).stem) + ".zip")
    try:
        path.write_bytes(file.getbuffer())
        kept = import_model(workspace, path)
    finally:
        path.unlink(missing_ok=True)
        folder.rmdir()
    state.put("export.brought", [kept.id, kept.id in known])
    state.put("export.round", state.get("export.round", 0) + 1)
    state.to_address("model", kept.id)
    st.rerun()


def _report() -> None:
    """Say once what came in."""
    brought = state.get("export.brought")
    if brought is None:
        return
    state.put("export.brought", None)
    model = models.find_model(state.workspace(), brought[0])
    card = model.imported.card if model.imported else {}
    section = "brought_again" if brought[1] else "brought"
    page.see(page.say("export", section, name=model.title, classes=", ".join(card.get("classes", ()))))


def _one(model: Model) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"brought-{model.id}"):
        st.html(f'<p class="note">{esc(model.title)}</p>')
        st.button(
            "Delete", key=f"export.delete.{model.id}", type="tertiary", icon=":material/delete:",
            on_click=dialogs.ask, args=("delete_model", model.id),
        )  # fmt: skip
    if dialogs.asked("delete_model") == model.id:
        dialogs.show("Delete this model?", partial(_ask_to_delete, model))


def _ask_to_delete(model: Model) -> None:
    page.see(esc(model.title), "attention")
    dialogs.answer("Delete it for good", partial(_delete, model), key="export.delete.do")


def _delete(model: Model) -> None:
    if model.imported is not None:
        delete_imported(model.imported)
    if state.from_address("model") == model.id:
        state.to_address("model", None)
