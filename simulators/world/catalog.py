"""The company's products: plans, add-ons, services and monthly workshops, each priced in every currency."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from simulators.world.ids import Ids
from simulators.world.moments import BUSY_DAYS, DAY, END, HOUR, MINUTE, SECOND, START, add_months, date_of
from simulators.world.money import CURRENCIES, charge, decimal_text, list_price
from simulators.world.store import JsonObject, Store

#: Plans from small to large with their monthly price per seat in US cents. A year costs ten months.
PLANS = (("Starter", 1_900), ("Team", 4_900), ("Business", 9_900), ("Enterprise", 24_900))
#: Monthly add-ons with their price in US cents.
ADD_ONS = (
    ("Single sign-on", 4_000),
    ("Audit log", 3_000),
    ("Sandbox", 2_500),
    ("Priority support", 9_900),
    ("Data residency", 7_500),
    ("Custom roles", 1_500),
    ("White label", 6_000),
    ("Backup", 1_200),
    ("Connector pack", 3_500),
)
#: The currencies that everything is priced in; the others only have plans.
MAIN = {code: money for code, money in CURRENCIES.items() if not money.further}
METERED = "API calls"
TIERED = "Storage"
#: One-time services with their price in US cents.
SERVICES = (("Onboarding", 50_000), ("Data migration", 120_000), ("Training day", 90_000), ("Usage export", 700))


@dataclass(frozen=True, slots=True)
class Price:
    """A price. `interval` is None for one-time prices; `unit` is in minor units and can be a fraction of one."""

    id: str
    product: str
    product_name: str
    currency: str
    unit: Fraction
    interval: str | None
    created: int
    metered: bool = False
    tiers: tuple[tuple[int | None, int], ...] = ()
    """Graduated tiers: (up to how many, or None for the rest; price per unit)."""
    lookup_key: str | None = None
    nickname: str | None = None
    active: bool = True

    def amount(self, quantity: int) -> int:
        """Return the price of `quantity` for one interval, in minor units."""
        if not self.tiers:
            return charge(self.currency, self.unit * quantity)
        total, done = 0, 0
        for up_to, unit in self.tiers:
            here = (quantity if up_to is None else min(quantity, up_to)) - done
            if here <= 0:
                break
            total += here * unit
            done += here
        return charge(self.currency, total)


@dataclass(slots=True)
class Product:
    id: str
    name: str
    created: int
    updated: int
    description: str | None = None
    default_price: str | None = None
    active: bool = True
    unit_label: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class Catalog:
    """Writes products and prices to the store and finds prices for the rest of the world."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self.by_id: dict[str, Price] = {}
        self._found: dict[tuple[str, str, str | None], Price] = {}
        self._products: dict[str, Product] = {}

    def price(self, product_name: str, currency: str, interval: str | None) -> Price:
        """The price of a product; raises KeyError if it isn't sold that way."""
        return self._found[product_name, currency, interval]

    def workshop(self, at: int, currency: str) -> Price:
        """The price of the workshop that is on offer at `at`."""
        offered = [p for p in self.by_id.values() if p.product_name.startswith("Workshop") and p.currency == currency]
        return max((price for price in offered if price.created <= at), key=lambda price: price.created)

    def open(self) -> None:
        """Puts what is sold from the first day on into the store. Call before anything else happens."""
        at = START
        for name, cents in PLANS:
            product = self._add_product(name, at, f"The {name} plan, per seat.", "seat")
            for currency in CURRENCIES:
                # In all of them, unlike the rest.
                month = list_price(currency, cents)
                self._add_price(product, at, currency, Fraction(month), "month", key=f"{name.lower()}_month_{currency}")
                self._add_price(
                    product, at, currency, Fraction(month * 10), "year", key=f"{name.lower()}_year_{currency}"
                )
            at += MINUTE
        for name, cents in ADD_ONS:
            product = self._add_product(name, at, f"Add-on: {name}.", None)
            for currency in MAIN:
                self._add_price(product, at, currency, Fraction(list_price(currency, cents)), "month")
            at += MINUTE
        self._add_usage(at)
        for name, cents in SERVICES:
            product = self._add_product(name, at + MINUTE, None, None)
            for currency in MAIN:
                self._add_price(product, at + MINUTE, currency, Fraction(list_price(currency, cents)), None)

    def _add_usage(self, at: int) -> None:
        calls = self._add_product(METERED, at, "Calls to the API, billed afterwards.", "call")
        storage = self._add_product(TIERED, at, "Storage in gigabytes, cheaper the more you keep.", "GB")
        for currency, money in MAIN.items():
            # A quarter of a cent: the price has no whole `unit_amount`, only a decimal one.
            self._add_price(calls, at, currency, money.per_dollar_cent / 4, "month", metered=True)
            step = money.step
            tiers = ((10, 0), (100, list_price(currency, 100) // 2), (None, max(step, list_price(currency, 100) // 4)))
            self._add_price(storage, at, currency, Fraction(0), "month", tiers=tiers)

    def later(self) -> list[tuple[int, str]]:
        """Return the changes of the catalogue after the first day: (instant, what). `apply` does it."""
        changes = [(add_months(START, month, 1) + 9 * HOUR, "workshop") for month in range(19)]
        changes += [(day + 8 * HOUR + 5 * MINUTE, "workshop") for day in BUSY_DAYS]
        changes += [(day + 15 * HOUR + 10 * MINUTE, "revise") for day in BUSY_DAYS]
        changes += [(START + 40 * DAY, "mistake"), (BUSY_DAYS[1] + 11 * HOUR, "mistake")]
        changes += [(BUSY_DAYS[2] + 11 * HOUR, "mistake"), (START + 200 * DAY, "revise"), (START + 400 * DAY, "revise")]
        return sorted(change for change in changes if change[0] < END)

    def apply(self, at: int, what: str) -> None:
        if what == "workshop":
            self._retire_workshops(at)
            product = self._add_product(f"Workshop {date_of(at)}", at, "One seat in a live workshop.", "seat")
            for currency in MAIN:
                self._add_price(product, at, currency, Fraction(list_price(currency, 15_000)), None)
        elif what == "revise":
            self._revise_services(at)
        else:
            self._make_mistake(at)

    def _retire_workshops(self, at: int) -> None:
        """The last workshop is over: its product and one of its prices are no longer sold."""
        past = [p for p in self._products.values() if p.name.startswith("Workshop") and p.active]
        for product in past:
            product.active, product.updated = False, at
            self._save_product(product, at)
            price = next(p for p in self.by_id.values() if p.product == product.id)
            self._change_price(replace(price, active=False), at)

    def _revise_services(self, at: int) -> None:
        """Somebody edits a description and a nickname. Only one-time prices: recurring ones are embedded elsewhere."""
        product = next(p for p in self._products.values() if p.name == SERVICES[at // DAY % len(SERVICES)][0])
        product.description, product.updated = f"{product.name}, as offered since {date_of(at)}.", at
        product.metadata = {**product.metadata, "revised": date_of(at)}
        self._save_product(product, at)
        price = next(p for p in self.by_id.values() if p.product == product.id)
        self._change_price(replace(price, nickname=f"{product.name} {date_of(at)}"), at)

    def _make_mistake(self, at: int) -> None:
        """A product and a price that were entered by mistake and deleted minutes or hours later."""
        product = self._add_product(f"Test {date_of(at)}", at, None, None)
        price = self._add_price(product, at, "usd", Fraction(100), None)
        del self.by_id[price.id], self._found[product.name, "usd", None], self._products[product.id]
        # The default price goes first, as Stripe wants it; both vanish in the same minute.
        index = self._store["prices"].remove(price.id, at + 40 * MINUTE, "deleted")
        self._store.announce(at + 40 * MINUTE, "price.deleted", "prices", price.id, index)
        index = self._store["products"].remove(product.id, at + 40 * MINUTE + SECOND, "deleted")
        self._store.announce(at + 40 * MINUTE + SECOND, "product.deleted", "products", product.id, index)

    def _add_product(self, name: str, at: int, description: str | None, unit_label: str | None) -> Product:
        product = Product(self._ids.stripe("product", name), name, at, at, description, unit_label=unit_label)
        self._products[product.id] = product
        self._store["products"].create(product.id, at, product_object(product))
        self._store.announce(at, "product.created", "products", product.id, 0)
        return product

    def _add_price(
        self,
        product: Product,
        at: int,
        currency: str,
        unit: Fraction,
        interval: str | None,
        *,
        metered: bool = False,
        tiers: tuple[tuple[int | None, int], ...] = (),
        key: str | None = None,
    ) -> Price:
        id = self._ids.stripe("price", product.name, currency, interval)
        price = Price(id, product.id, product.name, currency, unit, interval, at, metered, tiers, key)
        self.by_id[id] = price
        self._found[product.name, currency, interval] = price
        self._store["prices"].create(id, at, price_object(price))
        self._store.announce(at, "price.created", "prices", id, 0)
        if product.default_price is None:
            product.default_price = id
            self._save_product(product, at)
        return price

    def _save_product(self, product: Product, at: int) -> None:
        index = self._store["products"].change(product.id, at, product_object(product))
        self._store.announce(at, "product.updated", "products", product.id, index)

    def _change_price(self, price: Price, at: int) -> None:
        self.by_id[price.id] = price
        self._found[price.product_name, price.currency, price.interval] = price
        index = self._store["prices"].change(price.id, at, price_object(price))
        self._store.announce(at, "price.updated", "prices", price.id, index)


def product_object(product: Product) -> JsonObject:
    return {
        "id": product.id,
        "object": "product",
        "active": product.active,
        "created": product.created // SECOND,
        "default_price": product.default_price,
        "description": product.description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": product.metadata,
        "name": product.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": product.unit_label,
        "updated": product.updated // SECOND,
        "url": None,
    }


def price_object(price: Price) -> JsonObject:
    tiered = bool(price.tiers)
    return {
        "id": price.id,
        "object": "price",
        "active": price.active,
        "billing_scheme": "tiered" if tiered else "per_unit",
        "created": price.created // SECOND,
        "currency": price.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": price.lookup_key,
        "metadata": {},
        "nickname": price.nickname,
        "product": price.product,
        "recurring": price.interval
        and {
            "interval": price.interval,
            "interval_count": 1,
            "meter": "mtr_tributary_calls" if price.metered else None,
            "trial_period_days": None,
            "usage_type": "metered" if price.metered else "licensed",
        },
        "tax_behavior": "inclusive" if price.currency == "jpy" else "exclusive",
        **({"tiers": tier_objects(price)} if tiered else {}),
        "tiers_mode": "graduated" if tiered else None,
        "transform_quantity": None,
        "type": "recurring" if price.interval else "one_time",
        "unit_amount": None if tiered or price.unit.denominator != 1 else int(price.unit),
        "unit_amount_decimal": unit_decimal(price),
    }


def unit_decimal(price: Price) -> str | None:
    return None if price.tiers else decimal_text(price.unit)


def tier_objects(price: Price) -> list[JsonObject]:
    """The steps of a tiered price, which the API shows on demand only."""
    return [
        {
            "flat_amount": None,
            "flat_amount_decimal": None,
            "unit_amount": unit,
            "unit_amount_decimal": decimal_text(unit),
            "up_to": up_to,
        }
        for up_to, unit in price.tiers
    ]


def plan_object(price: Price) -> JsonObject:
    """The legacy `plan` that subscription items still carry beside their price."""
    full = price_object(price)
    return {
        "id": price.id,
        "object": "plan",
        "active": price.active,
        "amount": full["unit_amount"],
        "amount_decimal": full["unit_amount_decimal"],
        "billing_scheme": full["billing_scheme"],
        "created": full["created"],
        "currency": price.currency,
        "interval": price.interval,
        "interval_count": 1,
        "livemode": False,
        "metadata": {},
        "meter": full["recurring"]["meter"] if full["recurring"] else None,
        "nickname": price.nickname,
        "product": price.product,
        "tiers_mode": full["tiers_mode"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "metered" if price.metered else "licensed",
    }
