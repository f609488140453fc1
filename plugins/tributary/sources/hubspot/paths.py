"""Builds HubSpot's paths, in the dated form and in the older one that puts the version first."""

from dataclasses import dataclass

#: HubSpot serves these names beside its dates until September 2027.
LEGACY = "v3"


@dataclass(frozen=True)
class Paths:
    """The paths of one API version: a date such as `2026-09`, or `v3`."""

    version: str

    @property
    def account(self) -> str:
        return f"/account-info/{self.version}/details"

    @property
    def token(self) -> str:
        return f"/oauth/{self.version}/token"

    @property
    def owners(self) -> str:
        return self._crm("owners") + ("/" if self.version == LEGACY else "")

    def objects(self, object_: str) -> str:
        return f"{self._crm('objects')}/{object_}"

    def search(self, object_: str) -> str:
        return f"{self.objects(object_)}/search"

    def batch(self, object_: str) -> str:
        return f"{self.objects(object_)}/batch/read"

    def erase(self, object_: str) -> str:
        return f"{self.objects(object_)}/gdpr-delete"

    def properties(self, object_: str) -> str:
        return f"{self._crm('properties')}/{object_}"

    def pipelines(self, object_: str) -> str:
        return f"{self._crm('pipelines')}/{object_}"

    def associations(self, from_: str, to: str) -> str:
        # The kinds of a link came with v4; v3 has no answer that names them.
        version = "v4" if self.version == LEGACY else self.version
        return f"{Paths(version)._crm('associations')}/{from_}/{to}/batch/read"

    def _crm(self, part: str) -> str:
        if self.version.startswith("v"):
            return f"/crm/{self.version}/{part}"
        return f"/crm/{part}/{self.version}"
