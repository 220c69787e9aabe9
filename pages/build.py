"""Build: begin a data set, bring pictures into it, put its classes in order, split it and take it along."""

from core.data.split import stratified_split
from core.ui import jobs, page, sources, state, workbench

page.begin("build", "Build a data set")
job = jobs.current()
chosen = page.current_dataset()
if job is not None and job.kind in jobs.MAKE:
    jobs.card(job)
elif chosen is None or state.from_address("new"):
    sources.choose(back=chosen is not None)
else:
    workbench.show(chosen, job)
page.explain("build", source=stratified_split)
