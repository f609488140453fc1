"""The sums of an invoice: discounts, tax and the customer's balance.

subtotal = sum of the lines
total    = subtotal - discounts + exclusive tax
due      = total + starting balance, never below zero; what is left over stays in the customer's balance
"""

from __future__ import annotations

from fractions import Fraction

from simulators.world.ledger import Discount, Invoice, Line, TaxRate
from simulators.world.money import charge, spread


def settle(invoice: Invoice) -> None:
    """Fills in the discount and tax of each line and the totals of the invoice."""
    currency = invoice.customer.currency
    apply_discount(invoice.lines, invoice.discount, currency)
    for line in invoice.lines:
        line.tax = line_tax(line.amount - line.discount, invoice.customer.tax, currency)
    invoice.subtotal = sum(line.amount for line in invoice.lines)
    invoice.discounted = sum(line.discount for line in invoice.lines)
    invoice.tax = sum(line.tax for line in invoice.lines)
    invoice.total = invoice.subtotal - invoice.discounted
    if invoice.customer.tax and not invoice.customer.tax.inclusive:
        invoice.total += invoice.tax


def apply_discount(lines: list[Line], discount: Discount | None, currency: str) -> None:
    """Spreads a discount over the lines. Prorations are exempt: their amounts are discounted already."""
    eligible = [line for line in lines if not line.proration and line.amount > 0]
    for line in lines:
        line.discount = 0
    if discount is None or not eligible:
        return
    coupon = discount.coupon
    if coupon.percent is not None:
        for line in eligible:
            line.discount = charge(currency, Fraction(line.amount * coupon.percent, 100))
        return
    amount = min(coupon.amount or 0, sum(line.amount for line in eligible))
    for line, part in zip(eligible, spread(currency, amount, [line.amount for line in eligible]), strict=True):
        line.discount = part


def line_tax(taxable: int, rate: TaxRate | None, currency: str) -> int:
    """The tax on an amount; for inclusive rates the part of the amount that is tax."""
    if rate is None:
        return 0
    share = Fraction(rate.percent, 100 + rate.percent) if rate.inclusive else Fraction(rate.percent, 100)
    return charge(currency, taxable * share)


def take_balance(invoice: Invoice, balance: int) -> None:
    """Applies the customer's balance: sets the starting balance and the amount due."""
    invoice.starting_balance = balance
    invoice.amount_due = max(0, invoice.total + balance)


def ending_balance(invoice: Invoice) -> int:
    """Return the customer's balance after the invoice: a credit that it didn't use up or that it adds."""
    return min(0, invoice.total + invoice.starting_balance)
