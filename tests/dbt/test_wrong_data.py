"""Every data test fails on data that is wrong in its way.

It changes the warehouse that the other tests look at, so it runs last.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt.runner import PROJECT, DbtRun, run_dbt
from tests.dbt.warehouse import Row, Warehouse
from tests.dbt.world import day

pytestmark = pytest.mark.emulators


def test_data_tests_find_what_they_look_for(built: DbtRun, warehouse: Warehouse, tmp_path: Path) -> None:
    """Every singular test and one of each generic kind fails on data that is wrong in its way; the rows are kept."""
    warehouse.load(_broken())
    # marts that are left alone are still those of the worlds
    noon = day(2026, 1, 6, 12)
    warehouse.covered(
        ("stripe_invoices", "acme", day(2026, 1, 6, 12), noon),
        ("stripe_charges", "acme", day(2026, 1, 6, 6), noon),
        ("stripe_charges", "acme", day(2025, 12, 1), noon),  # an old day that was loaded again
        ("stripe_invoices", "zenith", day(2026, 1, 6), noon),
        ("stripe_charges", "zenith", day(2026, 1, 6), noon),
        ("hubspot_contacts", "acme", day(2026, 1, 7), noon),
    )
    warehouse.query("create table dq.a_test_that_was_renamed_since as select 'jo@example.com' as email")
    rebuilt = ["tag:intermediate", "invoice_lines", "invoices", "payments", "mrr"]
    assert run_dbt(["run", "--select", *rebuilt], tmp_path / "run", warehouse.settings).code == 0
    # without the variable, the moment of the run is up to when all of billing is covered
    assert warehouse.query("select as_of from staging.int_as_of") == [{"as_of": day(2026, 1, 6, 6)}]
    culprits = {
        "assert_balance_days_add_up",
        "assert_balance_transactions_add_up",
        "assert_clv_equals_cash",
        "assert_clv_equals_payments",
        "assert_estimates_equal_first_bills",
        "assert_fees_add_up",
        "assert_invoices_have_customers",
        "assert_item_states_end_as_observed",
        "assert_mrr_movements_balance",
        "assert_negative_invoices_are_explained",
        "assert_no_invoice_below_nothing",
        "assert_net_revenue_adds_up",
        "assert_no_future_transactions",
        "assert_no_orphaned_customers",
        "assert_one_survivor_per_person",
        "assert_paid_invoices_have_payments",
        "assert_payments_equal_invoices",
        "assert_payouts_add_up",
        "assert_payouts_are_what_was_sent",
        "assert_refunds_meet_payments",
        "assert_revenue_equals_invoices",
        "primary_key_stg_stripe__customers_client_id__customer_id",
        "never_null_stg_stripe__invoices",
        "belongs_to_stg_stripe__invoice_lines_invoice_id__invoice_id__ref_stg_stripe__invoices_",
        "accepted_values_stg_stripe__invoices_status__draft__open__paid__uncollectible__void",
    }
    assert culprits >= {path.stem for path in PROJECT.glob("tests/*.sql")}
    warehouse.query("delete from mart.payouts where returned_amount = 0")
    warehouse.query("delete from mart.fees where fee_type = 'stripe_fee'")
    warehouse.query("update mart.payouts set payout_id = 'po_misread' where true")
    warehouse.query("update mart.mrr as m set basis = 'billed', mrr = 1, estimated_mrr = 2 where true")
    run = run_dbt(["test", "--select", *sorted(culprits)], tmp_path / "test", warehouse.settings)
    assert set(run.failed()) == culprits, run.output[-3000:]
    kept = {node["name"]: node["alias"] for node in run.manifest["nodes"].values() if node["resource_type"] == "test"}
    assert warehouse.tables("dq") == {kept[name] for name in culprits}, "what failed, and nothing else"
    stored = {row["invoice_id"] for row in warehouse.query("select * from dq.assert_negative_invoices_are_explained")}
    assert stored == {"in_lost_lines"}
    lost = {row["invoice_id"] for row in warehouse.query("select * from dq.assert_revenue_equals_invoices")}
    assert lost == {"in_lost_lines", "in_to_balance", "in_credit_note"}
    marked = {row["invoice_id"] for row in warehouse.query("select * from dq.assert_paid_invoices_have_payments")}
    assert marked == {"in_marked"}
    unpaid = {row["invoice_id"] for row in warehouse.query("select * from dq.assert_payments_equal_invoices")}
    assert "in_marked" not in unpaid and "in_deleted_customer" in unpaid
    future = {(r["event"], r["id"]) for r in warehouse.query("select * from dq.assert_no_future_transactions")}
    assert future == {("invoice paid", "in_tomorrow"), ("invoice created", "in_tomorrow")}
    unbalanced = {
        r["balance_transaction_id"] for r in warehouse.query("select * from dq.assert_balance_transactions_add_up")
    }
    assert unbalanced == {"txn_fee_lost"}
    orphans = {(r["object"], r["id"]) for r in warehouse.query("select * from dq.assert_no_orphaned_customers")}
    assert orphans == {("subscription", "sub_orphan")}
    nobody = {r["id"] for r in warehouse.query("select * from dq.assert_invoices_have_customers")}
    assert nobody == {"in_nobody"}
    back = {(r["kind"], r["id"]) for r in warehouse.query("select * from dq.assert_refunds_meet_payments")}
    assert back == {("refund", "re_of_nothing"), ("all refunds", "ch_2"), ("lost_dispute", "du_of_nothing")}
    below = {r["invoice_id"] for r in warehouse.query("select * from dq.assert_no_invoice_below_nothing")}
    assert below == {"in_credited_twice"}
    assert {r["currency"]: r["amount_paid"] for r in warehouse.query("select * from staging.int_payments")}[
        "kwd"
    ] == Decimal("1.25")

    # mended: what passes now leaves no table behind, what still fails has the rows of now
    warehouse.query("update raw.stripe_balance_transactions set net = amount - fee where true")
    warehouse.query("update raw.stripe_subscriptions set id = 'sub_orphan_still' where id = 'sub_orphan'")
    passing, failing = "assert_balance_transactions_add_up", "assert_no_orphaned_customers"
    again = run_dbt(["test", "--select", passing, failing], tmp_path / "again", warehouse.settings)
    assert set(again.failed()) == {failing}, again.output[-3000:]
    assert warehouse.tables("dq") == {kept[name] for name in culprits - {passing}}
    assert [row["id"] for row in warehouse.query(f"select id from dq.{failing}")] == ["sub_orphan_still"]


def _invoice(id_: str, **values: object) -> Row:
    return {
        "id": id_,
        "customer_id": "cus_1",
        "currency": "kwd",
        "status": "paid",
        "created": "2025-12-01T00:00:00Z",
        "finalized_at": "2025-12-01T01:00:00Z",
        "paid_at": "2025-12-01T01:00:00Z",
        "total": 1250,
        "amount_paid": 1250,
        "livemode": False,
        **values,
    }


def _line(invoice: str, id_: str, amount: int) -> Row:
    return {"invoice_id": invoice, "id": id_, "amount": amount, "currency": "kwd", "livemode": False}


def _broken() -> dict[str, list[Row]]:
    negative = {"total": -500, "total_excluding_tax": -500, "amount_paid": 0, "paid_at": None}
    subscription = {"currency": "kwd", "created": "2025-12-01T00:00:00Z", "livemode": False}
    movement = {"currency": "kwd", "created": "2025-12-01T00:00:00Z"}
    return {
        "stripe_balance_transactions": [
            {"id": "txn_charge", "amount": 1250, "fee": 60, "net": 1190, **movement},
            {"id": "txn_refund", "amount": -1250, "fee": 0, "net": -1250, **movement},
            {"id": "txn_fee_lost", "amount": 1250, "fee": 0, "net": 1190, **movement},
        ],
        "stripe_payouts": [{"id": "po_misread", "amount": 1, "currency": "usd", "created": "2025-12-01T00:00:00Z"}],
        "stripe_customers": [
            {"id": "cus_1", "created": "2025-01-01T00:00:00Z", "email": "a@example.com"},
            {"id": "cus_2", "created": "2025-01-01T00:00:00Z"},
            {"id": "cus_2", "created": "2025-01-01T00:00:00Z"},
        ],
        "stripe_subscriptions": [
            {"id": "sub_orphan", "customer_id": "cus_lost", "status": "active", **subscription},
            {"id": "sub_left", "customer_id": "cus_deleted", "status": "canceled", **subscription},
        ],
        # the item is observed at another quantity than the last event says
        "stripe_events": [
            {
                "id": "evt_1",
                "created": "2026-01-05T12:00:00Z",
                "type": "customer.subscription.updated",
                "object_id": "sub_orphan",
                "object_snapshot": {"items": {"data": [{"id": "si_1", "price": {"id": "price_lost"}, "quantity": 3}]}},
            }
        ],
        "stripe_subscription_items": [
            # its price is in no list, so nothing says what it comes to
            {
                "id": "si_1",
                "subscription_id": "sub_orphan",
                "price_id": "price_lost",
                "quantity": 2,
                "usage_type": "licensed",
            }
            | subscription,
        ],
        "stripe_invoices": [
            _invoice("in_lost_lines", **negative),
            _invoice("in_prorated", **negative),
            _invoice("in_to_balance", **negative, starting_balance=0, ending_balance=-500),
            _invoice("in_credit_note", **negative, pre_payment_credit_notes_amount=500),
            _invoice("in_tomorrow", created="2026-01-07T00:00:00Z", paid_at="2026-01-07T00:00:00Z"),
            _invoice("in_later", created="2026-01-06T05:00:00Z", _observed_at="2026-01-06T06:00:00Z", paid_at=None),
            _invoice("in_deleted_customer", customer_id="cus_deleted"),
            _invoice("in_nobody", customer_id=None),
            _invoice("in_marked", amount_due=1250),
            _invoice("in_credited_twice", total=500, total_excluding_tax=500, amount_paid=0),
            _invoice("in_odd", status="shredded", currency=None),
        ],
        "stripe_invoice_lines": [
            _line("in_lost_lines", "il_1", 100),
            _line("in_prorated", "il_2", -900),
            _line("in_prorated", "il_3", 400),
            _line("in_missing", "il_4", 1),
            _line("in_credited_twice", "il_5", 500),
        ],
        "stripe_credit_notes": [
            {
                "id": "cn_1",
                "invoice_id": "in_credited_twice",
                "amount": 800,
                "total": 800,
                "status": "issued",
                **movement,
            },
        ],
        "stripe_charges": [
            {"id": "ch_2", "customer_id": "cus_1", "amount": 1000, "status": "succeeded", **movement},
        ],
        "stripe_refunds": [
            {"id": "re_of_nothing", "charge_id": "ch_lost", "amount": 5, "status": "succeeded", **movement},
            {"id": "re_1", "charge_id": "ch_2", "amount": 800, "status": "succeeded", **movement},
            {"id": "re_2", "payment_intent_id": "pi_lost", "charge_id": "ch_2", "amount": 800, **movement},
        ],
        "stripe_disputes": [
            {"id": "du_of_nothing", "charge_id": "ch_lost", "amount": 5, "status": "lost", **movement},
        ],
    }
