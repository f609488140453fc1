"""Stripe's customers."""

from __future__ import annotations

from simulators.world.ledger import Customer
from simulators.world.shapes import customer_object
from simulators.world.writer import Writer


class Customers(Writer):
    def add(self, customer: Customer, at: int) -> None:
        self._create(at, "customers", customer.id, customer_object(customer), "customer.created")

    def save(self, customer: Customer, at: int) -> None:
        if not customer.deleted:
            self._save(at, "customers", customer.id, customer_object(customer), "customer.updated")

    def bill(self, customer: Customer, at: int) -> None:
        """The first bill fixes the customer's currency."""
        if not customer.billed:
            customer.billed = True
            self.save(customer, at)

    def delete(self, customer: Customer, at: int) -> None:
        customer.deleted = True
        self._remove(at, "customers", customer.id, "customer.deleted")
