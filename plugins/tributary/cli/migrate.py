"""`python -m tributary.cli.migrate`: brings the ops tables up to this release, before or after its first load."""

from tributary.warehouse.tables import OPS_VERSION, migrate


def main() -> None:
    """Migrate, and say from which version to which."""
    from tributary.hooks.warehouse import WarehouseHook

    warehouse = WarehouseHook()
    found = migrate(warehouse, {"task": "migrate"})
    ops = f"{warehouse.project}.ops"
    if found < OPS_VERSION:
        print(f"{ops}: brought from version {found} to {OPS_VERSION}")  # noqa: T201
    elif found == OPS_VERSION:
        print(f"{ops}: is of version {OPS_VERSION} already")  # noqa: T201
    else:
        print(  # noqa: T201
            f"{ops}: is of version {found}, newer than this release's {OPS_VERSION}, and was left as it is; loads of "
            "this release go on, since columns are only ever added"
        )


if __name__ == "__main__":
    main()
