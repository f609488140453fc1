"""Coupons, and the discounts they become."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from simulators.world.agenda import Agenda
from simulators.world.ids import Ids
from simulators.world.ledger import Coupon, Discount
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, START, date_of
from simulators.world.shapes import coupon_object, discount_object
from simulators.world.store import Store
from simulators.world.writer import Writer

#: What customers can be given.
COUPONS = (
    Coupon("WELCOME10", "Welcome", "once", percent=10),
    Coupon("SPRING25", "Three months, a quarter off", "repeating", percent=25, months=3),
    Coupon("NONPROFIT", "Non-profits", "forever", percent=50),
    Coupon("TAKE20", "Twenty dollars off", "once", amount=2_000, currency="usd"),
)
#: Deleted, and made anew under the same id with other terms.
REUSED = (
    Coupon("LAUNCH", "Launch week", "once", percent=30),
    Coupon("LAUNCH", "Launch week, again", "repeating", percent=15, months=2),
)


class Coupons(Writer):
    def __init__(self, store: Store, agenda: Agenda, ids: Ids) -> None:
        super().__init__(store, agenda, ids)
        self._created: dict[str, int] = {}
        self._redeemed: dict[str, int] = {}

    def begin(self) -> None:
        for coupon in COUPONS:
            self._add(coupon, START)
        self._plan(START + 30 * DAY, REUSED[0], START + 90 * DAY)
        # The second one ends, and the first is back, on days that are loaded one by one.
        self._plan(START + 91 * DAY, REUSED[1], BUSY_DAYS[1] + 12 * HOUR)
        self._plan(BUSY_DAYS[2] + 9 * HOUR, REUSED[0], END)
        for day in BUSY_DAYS:
            daily = Coupon(f"DAY-{date_of(day)}", "One day only", "once", percent=5)
            self._plan(day + 5 * HOUR + 30 * MINUTE, daily, day + DAY + 10 * MINUTE)
            self._agenda.plan(day + 14 * HOUR, self._rename)

    def _plan(self, at: int, coupon: Coupon, until: int) -> None:
        self._agenda.plan(at, partial(self._add, coupon))
        self._agenda.plan(until, partial(self._delete, coupon.id))

    def redeem(self, coupon: Coupon, customer: str, subscription: str, at: int, end: int | None) -> Discount:
        self._redeemed[coupon.id] = self._redeemed.get(coupon.id, 0) + 1
        self._update(coupon, at)
        discount = Discount(self._ids.stripe("discount", subscription), coupon, customer, subscription, at, end)
        self._create(at, "discounts", discount.id, discount_object(discount))
        return discount

    def _add(self, coupon: Coupon, at: int) -> None:
        self._created[coupon.id], self._redeemed[coupon.id] = at, 0
        self._create(at, "coupons", coupon.id, coupon_object(coupon, at), "coupon.created")

    def _rename(self, at: int) -> None:
        self._update(replace(COUPONS[2], name=f"Non-profits, as of {date_of(at)}"), at)

    def _update(self, coupon: Coupon, at: int) -> None:
        shape = coupon_object(coupon, self._created[coupon.id], self._redeemed[coupon.id])
        self._save(at, "coupons", coupon.id, shape, "coupon.updated")

    def _delete(self, id: str, at: int) -> None:
        self._remove(at, "coupons", id, "coupon.deleted")
