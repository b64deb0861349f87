"""What is deleted is also gone from the disk, as far as that is the store's to see to."""

from __future__ import annotations

from homefeed.store.session import Store


async def forget_erased(store: Store) -> bool:
    """Empty SQLite's write-ahead log, which holds what rows were before they were deleted; whether it is empty.

    It is not while another process is writing, or reads what was there before: then try again. Within the database
    what is deleted is overwritten. PostgreSQL keeps its log, and what VACUUM has not come to, by its own settings.
    """
    if store.dialect != "sqlite":
        return True
    async with store.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None, "a connection has a driver's"  # noqa: S101
        ((patience,),) = await driver.execute_fetchall("PRAGMA busy_timeout")
        await driver.execute_fetchall("PRAGMA busy_timeout = 200")
        try:
            ((busy, _, _),) = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await driver.execute_fetchall(f"PRAGMA busy_timeout = {patience}")
    return not busy
