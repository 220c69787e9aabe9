"""Schedules: how the learning rate moves; see all, compose and paint your own, play them on a bumpy landscape."""

from core.train.schedules import painted
from core.ui import page, schedules

page.begin("schedules", "How the rate moves")
schedules.show()
page.explain("schedules", source=painted)
