"""The time of a run: what it created is judged by its own clock where one was set, by the real time otherwise.

So a browser shows what a scenario said, which takes a sale through a year within a second, also after the run.
Sessions, login forms and sign-in links always live in the real time: they belong to whoever sits at the browser.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select
from sqlalchemy.dialects.sqlite import insert

from wizard.sandbox.records import clocks
from wizard.sandbox.world import World


def now_by(world: World, run: Any) -> ColumnElement[float]:
    """The time by a run's clock in Unix seconds, for a query. `run` is a column or a run's id."""
    simulated = select(clocks.c.now).where(clocks.c.run == run).scalar_subquery()
    return func.coalesce(simulated, literal(world.now))


def time_of(connection: Connection, world: World, run: str) -> float:
    """The time by a run's clock in Unix seconds."""
    return float(connection.execute(select(now_by(world, run))).scalar_one())


def clock_of(world: World, run: str) -> datetime | None:
    """The simulated time that a run set, if it set one. Raises Unusable."""
    with world.reading() as connection:
        simulated = connection.scalar(select(clocks.c.now).where(clocks.c.run == run))
    return None if simulated is None else datetime.fromtimestamp(simulated, UTC)


def set_clock(connection: Connection, run: str, now: float) -> None:
    """Set the clock of a run. It stands there until it is set again."""
    setting = insert(clocks).values(run=run, now=now)
    connection.execute(setting.on_conflict_do_update(index_elements=["run"], set_={"now": now}))
