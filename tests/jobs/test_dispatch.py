"""The queue's rules without any process: who may join, who comes next, what a new engine finds on disk."""

import pytest

from core.jobs import queue, worker
from core.jobs.queue import QUEUED_MAX, Ticket, order, recover, refusal
from core.train import runs
from core.workspace import Workspace, new_id


def ticket(owner, number, lane="train"):
    return Ticket("/home", owner, f"{owner}{number}", lane, float(number))


def names(tickets):
    return [each.run_id for each in tickets]


def test_an_owner_has_one_run_at_work_and_three_waiting():
    at_work = [ticket("a", 0)]
    waiting = [ticket("a", number) for number in range(1, 1 + QUEUED_MAX)]
    assert refusal(ticket("a", 9), waiting[:-1], at_work) is None
    assert "4 runs under way" in refusal(ticket("a", 9), waiting, at_work)
    assert "4 runs under way" in refusal(ticket("a", 9), [*waiting, ticket("a", 8)], [])


def test_the_five_runs_of_one_round_of_the_lab_count_as_one():
    def of_round(number, name="r"):
        return Ticket("/home", "a", f"a{number}", "train", float(number), name)

    five = [of_round(number) for number in range(5)]
    assert all(refusal(five[number], five[:number], []) is None for number in range(5))
    assert refusal(of_round(6), five, []) is not None
    assert refusal(ticket("a", 9), five, []) is None
    others = [ticket("a", 10 + number) for number in range(3)]
    assert refusal(ticket("a", 9), [*five, *others], []) is not None
    assert refusal(of_round(7, "another"), [*five, *others], []) is not None
    assert refusal(five[1], [*others, ticket("a", 13)], []) is not None


def test_a_full_queue_of_one_owner_or_lane_does_not_shut_out_another():
    waiting = [ticket("a", number) for number in range(4)]
    assert refusal(ticket("b", 9), waiting, []) is None
    assert refusal(ticket("a", 9, lane="data"), waiting, []) is None


@pytest.mark.parametrize(
    ("waiting", "served", "expected"),
    [
        ([("a", 1), ("a", 2), ("b", 3)], {}, ["a1", "b3", "a2"]),
        ([("a", 1), ("b", 3)], {"a": 5}, ["b3", "a1"]),
        ([("a", 1), ("b", 3)], {"a": 5, "b": 6}, ["a1", "b3"]),
        ([("a", 2), ("a", 1)], {}, ["a1", "a2"]),
        ([("a", 1), ("a", 2), ("b", 3), ("b", 4), ("c", 5)], {"c": 1}, ["a1", "b3", "c5", "a2", "b4"]),
        ([], {"a": 1}, []),
    ],
)
def test_owners_take_turns(waiting, served, expected):
    assert names(order([ticket(*each) for each in waiting], served)) == expected


def test_somebody_new_never_waits_behind_more_than_one_run_of_a_busy_owner():
    waiting = [ticket("busy", number) for number in range(10)]
    assert names(order([*waiting, ticket("new", 99)], {"busy": 1}))[0] == "new99"
    assert names(order([*waiting, ticket("new", 99)], {}))[1] == "new99"


def test_every_kind_of_run_has_a_lane():
    assert set(queue.LANES) == set(runs.PERFORM)


def test_a_new_engine_interrupts_what_nobody_works_on_and_takes_up_what_waits(tmp_path):
    local, other = Workspace(tmp_path), Workspace(tmp_path, new_id())
    (tmp_path / "engine").mkdir()

    def made(workspace, *states, **changes):
        run = runs.create_run(workspace, "sample", {})
        for state in states:
            run = runs.set_state(run, state)
        return runs.note_down(run, **changes) if changes else run

    dead = {**worker.lease("old boot"), "started": 1.0}
    lost = made(local, "starting", "running", lease=dead)
    barely = made(other, "starting", lease=dead)
    at_terminal = made(local, "starting", "running", lease=worker.lease(None))
    mine = made(local, "starting", "running", lease={**dead, "boot": "new boot"})
    late, early = made(local, submitted=20.0), made(other, submitted=10.0)
    just_made = made(local)
    done = made(local, "starting", "running", "done")

    assert names(recover(tmp_path, "new boot")) == [early.id, late.id]
    found = {run.id: run for workspace in (local, other) for run in runs.list_runs(workspace)}
    assert {lost.id, barely.id} == {run.id for run in found.values() if run.state == "interrupted"}
    assert found[lost.id].record["code"] == "engine"
    assert "ended" in found[lost.id].record["message"]
    assert [found[run.id].state for run in (at_terminal, mine, just_made, done)] == [
        "running",
        "running",
        "queued",
        "done",
    ]


def test_a_last_state_is_given_once(tmp_path):
    run = runs.create_run(Workspace(tmp_path), "sample", {})
    for state in ("starting", "running", "done"):
        run = runs.set_state(run, state)
    queue.end_run(run, "failed", "killed", "m", "h")
    assert runs.load_run(run.workspace, run.id).state == "done"
