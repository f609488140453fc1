"""Full charges, invoice payments, refunds, disputes, payouts and balance transactions, version 2026-10-28.endive."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from simulators.world.moments import DAY, SECOND
from simulators.world.money import SETTLEMENT
from simulators.world.payment_ledger import Charge, Dispute, Payment, Payout, Refund
from simulators.world.people import words
from simulators.world.shapes import ACCOUNT, address_object, seconds
from simulators.world.store import JsonObject

#: What each type of transaction is called in Stripe's reports.
_CATEGORIES = {"stripe_fee": "fee", "adjustment": "dispute", "payout_failure": "payout_reversal"}
_EVIDENCE = words(
    """
    access_activity_log appeal billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip
    customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id
    enhanced_evidence product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation
    service_date service_documentation shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text
    """
)
_MESSAGES = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def payment_object(payment: Payment) -> JsonObject:
    by = {"payment_record": payment.record} if payment.record else {"payment_intent": payment.intent}
    return {
        "id": payment.id,
        "object": "invoice_payment",
        "amount_paid": payment.requested if payment.status == "paid" else None,
        "amount_requested": payment.requested,
        "created": payment.created // SECOND,
        "currency": payment.invoice.customer.currency,
        "invoice": payment.invoice.id,
        "is_default": True,
        "livemode": False,
        "payment": {**by, "type": next(iter(by))},
        "status": payment.status,
        "status_transitions": {
            "canceled_at": seconds(payment.canceled_at),
            "paid_at": seconds(payment.paid_at),
        },
    }


def charge_object(charge: Charge) -> JsonObject:
    customer, good = charge.customer, charge.failure is None
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount if good else 0,
        "amount_refunded": charge.refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": charge.transaction,
        "billing_details": {
            "address": address_object(customer.place),
            "email": customer.email,
            "name": customer.name,
            "phone": customer.phone,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "TRIBUTARY",
        "captured": good,
        "created": charge.created // SECOND,
        "currency": customer.currency,
        "customer": customer.id,
        "description": f"Payment for Invoice {charge.number}",
        "destination": None,
        "dispute": None,
        "disputed": charge.disputed,
        "failure_balance_transaction": None,
        "failure_code": charge.failure,
        "failure_message": _MESSAGES[charge.failure] if charge.failure else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": charge.metadata,
        "on_behalf_of": None,
        "order": None,
        "outcome": _outcome(charge),
        "paid": good,
        "payment_intent": charge.intent,
        "payment_method": customer.payment_method,
        "payment_method_details": {"card": _card(charge), "type": "card"},
        "radar_options": {},
        "receipt_email": customer.email,
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/invoices/{ACCOUNT.id}/{charge.id}?s=ap" if good else None,
        "refunded": good and charge.refunded == charge.amount,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if good else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(charge: Charge) -> JsonObject:
    code = charge.failure
    return {
        "advice_code": "try_again_later" if code else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if code else "approved_by_network",
        "reason": None if code in (None, "card_declined") else code,
        "risk_level": "normal",
        "risk_score": _number(charge.id, 40),
        "seller_message": "The bank did not return any further details." if code else "Payment complete.",
        "type": "issuer_declined" if code else "authorized",
    }


def _card(charge: Charge) -> JsonObject:
    """The customer's card: the same one each time."""
    number = _number(charge.customer.id, 10_000)
    brand = ("visa", "visa", "mastercard", "amex")[number % 4]
    return {
        "amount_authorized": charge.amount if charge.failure is None else None,
        "brand": brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": charge.customer.place.country if charge.customer.place else "US",
        "exp_month": number % 12 + 1,
        "exp_year": 2027 + number % 5,
        "fingerprint": blake2b(charge.customer.id.encode(), digest_size=8).hexdigest(),
        "funding": "credit" if number % 3 else "debit",
        "installments": None,
        "last4": f"{number:04d}",
        "mandate": None,
        "network": brand,
        "three_d_secure": None,
        "wallet": None,
    }


def _number(key: str, below: int) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) % below


def refund_object(refund: Refund) -> JsonObject:
    charge = refund.charge
    failed: JsonObject = {}
    if refund.failure:
        # Absent unless it failed.
        failed = {"failure_balance_transaction": refund.failure_transaction, "failure_reason": refund.failure}
    return {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": refund.transaction,
        "charge": charge.id,
        "created": refund.created // SECOND,
        "currency": charge.customer.currency,
        "customer": charge.customer.id,
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        **failed,
        "metadata": refund.metadata,
        "payment_intent": charge.intent,
        "payment_method": charge.customer.payment_method,
        **({"pending_reason": "processing"} if refund.status == "pending" else {}),
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }


def dispute_object(dispute: Dispute, transactions: list[JsonObject]) -> JsonObject:
    charge = dispute.charge
    evidence: JsonObject = dict.fromkeys(_EVIDENCE)
    evidence |= {"customer_email_address": charge.customer.email, "customer_name": charge.customer.name}
    evidence["enhanced_evidence"] = {}
    if dispute.evidence:
        evidence["uncategorized_text"] = "The customer has used the service since."
    return {
        "id": dispute.id,
        "object": "dispute",
        "amount": charge.amount,
        "balance_transactions": transactions,
        "charge": charge.id,
        "created": dispute.created // SECOND,
        "currency": charge.customer.currency,
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": (dispute.created - dispute.created % DAY + 9 * DAY) // SECOND - 1,
            "enhanced_eligibility": {},
            "has_evidence": dispute.evidence,
            "past_due": False,
            "submission_count": int(dispute.evidence),
            "submission_method": "manual" if dispute.evidence else "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": dispute.metadata,
        "network_reason_code": "10.4",
        "payment_intent": charge.intent,
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": dispute.reason,
        "status": dispute.status,
    }


def _fee_object(text: str, amount: int) -> JsonObject:
    return {
        "amount": amount,
        "application": None,
        "currency": SETTLEMENT,
        "description": text,
        "type": "stripe_fee",
    }


def payout_object(payout: Payout) -> JsonObject:
    traced = payout.trace is not None
    return {
        "id": payout.id,
        "object": "payout",
        "amount": payout.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": payout.arrives // SECOND,
        "automatic": payout.automatic,
        "balance_transaction": payout.transaction,
        "created": payout.created // SECOND,
        "currency": SETTLEMENT,
        "description": "STRIPE PAYOUT" if payout.automatic else "Taken out at once",
        "destination": payout.bank,
        "failure_balance_transaction": payout.failure_transaction,
        "failure_code": payout.failure,
        "failure_message": "The bank account has been closed." if payout.failure else None,
        "livemode": False,
        "metadata": {},
        "method": "standard" if payout.automatic else "instant",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": _reconciliation(payout),
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None if payout.automatic else "TRIBUTARY CASH",
        "status": payout.status,
        "trace_id": {"status": "supported" if traced else "pending", "value": payout.trace},
        "type": "bank_account",
    }


def _reconciliation(payout: Payout) -> str:
    if not payout.automatic:
        return "not_applicable"
    return "completed" if payout.reconciled else "in_progress"


def transaction_object(
    id: str,
    type: str,
    source: str | None,
    at: int,
    available: int,
    amount: int,
    rate: float | None,
    fees: Sequence[tuple[str, int]],
    text: str,
) -> JsonObject:
    """A balance transaction in cents, pending. A fee, by its text, is negative when it is given back."""
    fee = sum(part for _, part in fees)
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available // SECOND,
        "balance_type": "payments",
        "created": at // SECOND,
        "currency": SETTLEMENT,
        "description": text,
        "exchange_rate": rate,
        "fee": fee,
        "fee_details": [_fee_object(text, part) for text, part in fees if part],
        "net": amount - fee,
        "reporting_category": _CATEGORIES.get(type, type),
        "source": source,
        "status": "pending",
        "type": type,
    }
