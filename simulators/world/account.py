"""Identifies the Stripe account that owns everything in a world."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.world.versions import Stamps


@dataclass(frozen=True, slots=True)
class Account:
    id: str = "acct_tributary"
    name: str = "Tributary Demo, Inc."
    livemode: bool = False

    def stamps(self) -> Stamps:
        """Return the replacements for objects that were shaped for the default account in test mode."""
        default = Account()
        found = []
        if self.id != default.id:
            found.append((default.id.encode(), self.id.encode()))
        if self.livemode:
            found.append((b'"livemode":false', b'"livemode":true'))
        return tuple(found)
