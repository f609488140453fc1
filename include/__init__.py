"""Declarations and local tooling that ship with Tributary: contracts, SQL, the simulators and the local stack."""
