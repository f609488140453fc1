"""Expands the short rows of an example into rows of the raw tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.dbt.warehouse import tables

Row = dict[str, Any]
Tables = dict[str, list[Row]]

#: When the first load observed whatever doesn't say otherwise.
SEEN = "2026-01-31T06:00:00Z"
#: Short name -> raw table and what a row has unless it says otherwise.
SHORT: dict[str, tuple[str, Row]] = {
    "customers": ("stripe_customers", {"id": "cus_1", "created": "2024-12-01T00:00:00Z", "currency": "usd"}),
    "products": ("stripe_products", {"id": "prod_1", "created": "2024-01-01T00:00:00Z", "name": "Plan"}),
    "prices": (
        "stripe_prices",
        {"created": "2024-01-01T00:00:00Z", "active": True, "currency": "usd", "product_id": "prod_1"}
        | {"billing_scheme": "per_unit", "type": "recurring", "usage_type": "licensed", "recurring_interval_count": 1},
    ),
    "coupons": ("stripe_coupons", {"created": "2024-01-01T00:00:00Z", "duration": "forever", "valid": True}),
    "subscriptions": (
        "stripe_subscriptions",
        {"id": "sub_1", "customer_id": "cus_1", "currency": "usd", "status": "active"}
        | {"collection_method": "charge_automatically"},
    ),
    "items": (
        "stripe_subscription_items",
        {"id": "si_1", "subscription_id": "sub_1", "customer_id": "cus_1", "currency": "usd", "product_id": "prod_1"}
        | {"created": "2025-01-01T00:00:00Z", "quantity": 1, "usage_type": "licensed"},
    ),
    "discounts": (
        "stripe_subscription_discounts",
        {"subscription_id": "sub_1", "customer_id": "cus_1", "currency": "usd", "source_type": "coupon"},
    ),
    "invoices": (
        "stripe_invoices",
        {"customer_id": "cus_1", "currency": "usd", "status": "paid", "collection_method": "charge_automatically"}
        | {"total_discount_amounts": [], "amount_remaining": 0},
    ),
    "invoice_discounts": ("stripe_invoice_discounts", {"customer_id": "cus_1", "currency": "usd"}),
    "charges": (
        "stripe_charges",
        {"customer_id": "cus_1", "currency": "usd", "status": "succeeded", "paid": True, "captured": True},
    ),
    "refunds": ("stripe_refunds", {"currency": "usd", "status": "succeeded"}),
    "credit_notes": ("stripe_credit_notes", {"customer_id": "cus_1", "currency": "usd", "status": "issued"}),
    "disputes": ("stripe_disputes", {"currency": "usd"}),
    "movements": (
        "stripe_balance_transactions",
        {"currency": "usd", "status": "available", "fee": 0, "fee_details": []},
    ),
    "invoice_payments": (
        "stripe_invoice_payments",
        {"currency": "usd", "status": "paid", "payment_type": "payment_intent"},
    ),
    "events": ("stripe_events", {"type": "customer.subscription.updated", "object_type": "subscription"}),
}
_LINE: Row = {"quantity": 1, "proration": False, "discountable": True, "discount_amounts": [], "taxes": []} | {
    "line_type": "subscription_item_details"
}
#: Short key -> column, where a table has the column and not the key; `price` stands for `price_id` and so on by itself.
_ALIASES = {
    "at": "created",
    "item": "subscription_item_id",
    "from": "period_start",
    "to": "period_end",
    "start": "start_date",
    "interval": "recurring_interval",
    "count": "recurring_interval_count",
    "decimal": "unit_amount_decimal",
    "percent": "percent_off",
}
_COLUMNS = {name: {column.name for column in spec.columns} | set(spec.key) for name, spec in tables().items()}


def raw_rows(example: str, short: Mapping[str, Any]) -> tuple[Tables, Tables]:
    """The raw rows of an example's `rows`, and those of raw_history."""
    account = _Account(example)
    given = {"customers": [{}], "products": [{}]} | dict(short)
    for kind, rows in given.items():
        for row in rows:
            if kind == "invoices":
                account.invoice(row)
            elif kind == "renewals":
                account.renew(row)
            else:
                table, defaults = SHORT.get(kind, (kind, {}))
                account.add(table, defaults, row)
    return account.rows, account.history


def typed(rows: Tables) -> dict[str, dict[tuple[Any, ...], Row]]:
    """Rows as the warehouse would return them, in all tables, by key: with every column, moments as moments."""
    found: dict[str, dict[tuple[Any, ...], Row]] = {}
    for name, spec in tables().items():
        moments = {column.name for column in spec.columns if column.type == "TIMESTAMP"} | {"invoice_created"}
        blank = dict.fromkeys(_COLUMNS[name])
        found[name] = {}
        for row in rows.get(name, []):
            full = blank | row | {"_deleted": bool(row.get("_deleted_at"))}
            for column in moments & full.keys():
                if text := full[column]:
                    full[column] = datetime.fromisoformat(str(text))
            found[name][tuple(full[part] for part in spec.key)] = full
    return found


class _Account:
    def __init__(self, client: str) -> None:
        self.client = client
        self.rows: Tables = defaultdict(list)
        self.history: Tables = defaultdict(list)

    def add(self, table: str, defaults: Row, given: Mapping[str, Any]) -> Row:
        row = defaults | _columns(table, given)
        seen, until = row.pop("seen", SEEN), row.pop("until", None)
        row |= {"client_id": self.client, "_observed_at": seen, "_valid_from": seen}
        if row.pop("deleted", False):
            row["_deleted_at"] = seen
        if "livemode" in _COLUMNS[table]:
            row.setdefault("livemode", True)
        _complete(table, row, self.client)
        row.setdefault("_record_date", str(row.get("invoice_created") or row.get("created") or "2025-01-01")[:10])
        if until:
            row["_valid_to"] = until
        (self.history if until else self.rows)[table].append(row)
        return row

    def invoice(self, given: Mapping[str, Any]) -> None:
        """An invoice with its lines; paid ones have an amount paid, and with `paid: true` what moved the money."""
        given = dict(given)
        lines, paid = given.pop("lines", []), given.pop("paid", False)
        invoice = SHORT["invoices"][1] | _columns("stripe_invoices", given)
        at = invoice["created"]
        invoice.setdefault("id", f"in_{len(self.rows['stripe_invoices'])}")
        off = sum(cut["amount"] for line in lines for cut in line.get("discount_amounts", []))
        billed = sum(line["amount"] for line in lines)
        invoice.setdefault("subtotal", billed)
        invoice.setdefault("total", billed - off)
        total = invoice["total"]
        invoice.setdefault("total_excluding_tax", total)
        open_ = invoice["status"] != "paid"
        due = max(total, 0)  # a negative total goes to the customer's balance
        invoice = {"amount_due": due, "amount_paid": 0 if open_ else due, "finalized_at": at} | invoice
        invoice.setdefault("paid_at", None if open_ else at)
        row = self.add("stripe_invoices", {}, invoice)
        for number, line in enumerate(lines):
            self.add(
                "stripe_invoice_lines",
                _LINE
                | {"id": f"il_{row['id']}_{number}", "currency": row["currency"], "customer_id": row["customer_id"]}
                | {"subscription_id": row.get("subscription_id")},
                dict(line) | {"invoice_id": row["id"], "invoice_created": at, "invoice_status": row["status"]},
            )
        cuts: dict[str, int] = defaultdict(int)
        for line in lines:
            for cut in line.get("discount_amounts", []):
                cuts[cut["discount"]] += cut["amount"]
        row["total_discount_amounts"] = [{"discount": name, "amount": amount} for name, amount in cuts.items()]
        if paid:
            self._pay(row)

    def _pay(self, invoice: Row) -> None:
        """A charge that succeeded, its movement, and the record that ties it to the invoice."""
        name, at, amount = invoice["id"], invoice["created"], invoice["amount_paid"]
        common = {"currency": invoice["currency"], "created": at}
        intent = {"payment_intent_id": f"pi_{name}"}
        charge = {
            "id": f"ch_{name}",
            "amount": amount,
            "amount_captured": amount,
            "customer_id": invoice["customer_id"],
        }
        self.add(*SHORT["charges"], common | intent | charge | {"balance_transaction_id": f"txn_{name}"})
        tie = {"id": f"inpay_{name}", "invoice_id": name, "amount_paid": amount, "amount_requested": amount}
        self.add(*SHORT["invoice_payments"], common | intent | tie | {"paid_at": at})
        movement = {"id": f"txn_{name}", "amount": amount, "net": amount, "source_id": f"ch_{name}"}
        category = {"type": "charge", "reporting_category": "charge", "available_on": at}
        self.add(*SHORT["movements"], common | movement | category)

    def renew(self, given: Mapping[str, Any]) -> None:
        """Adds a paid invoice with one line for each month, on the `day`: {months: 2025-08..2026-01, amount: 10000}.

        `invoice` are further columns of the invoices, `less` is what each discount takes off: {di_1: 500}.
        """
        given = dict(given)
        first, _, last = str(given.pop("months")).partition("..")
        day, columns, less = given.pop("day", 10), given.pop("invoice", {}), given.pop("less", {})
        line = {"item": "si_1", "price": "price_1", "product": "prod_1", "subscription": "sub_1"} | given
        line["discount_amounts"] = [{"discount": name, "amount": amount} for name, amount in less.items()]
        for month in months(first, last or first):
            start, end = f"{month}-{day:02}T00:00:00Z", f"{following(month)}-{day:02}T00:00:00Z"
            name = {"id": f"in_{line['item']}_{month}", "at": start, "subscription": line["subscription"]}
            self.invoice(name | columns | {"lines": [line | {"from": start, "to": end}]})


def _columns(table: str, given: Mapping[str, Any]) -> Row:
    """Short keys as the table's own columns, and moments as text."""
    known = _COLUMNS[table]
    row: Row = {}
    for key, value in given.items():
        name = key
        if key not in known:
            for other in (_ALIASES.get(key), f"{key}_id"):
                if other in known:
                    name = other
        row[name] = _text(value)
    if table == "stripe_prices" and "amount" in row:
        row["unit_amount"] = row.pop("amount")
    if table == "stripe_coupons" and "amount" in row:
        row["amount_off"] = row.pop("amount")
    return row


def _complete(table: str, row: Row, client: str) -> None:
    """Columns that follow from others."""
    if table == "stripe_customers":
        row.setdefault("email", f"{row['id']}@{client}.example")
    elif table == "stripe_subscriptions":
        row.setdefault("created", row["start_date"])
        row.setdefault("billing_cycle_anchor", row["start_date"])
    elif table in ("stripe_prices", "stripe_subscription_items"):
        if row.get("unit_amount") is not None:
            row.setdefault("unit_amount_decimal", str(row["unit_amount"]))
    elif table == "stripe_coupons" and row.get("amount_off"):
        row.setdefault("currency", "usd")


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value.isoformat()}T00:00:00Z" if isinstance(value, date) else value


def months(first: str, last: str) -> Iterable[str]:
    """Every month from `2025-11` to `2026-01`, both included."""
    while first <= last:
        yield first
        first = following(first)


def following(month: str) -> str:
    """The month after."""
    return (date.fromisoformat(f"{month}-28") + timedelta(days=7)).isoformat()[:7]
