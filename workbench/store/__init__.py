"""The results database: schema, migrations, upsert, queries. SQLite file by default, PostgreSQL by URL."""

from workbench.store.database import Store
from workbench.store.records import FileState, FinishedChunk, Member, RowKey, StageRecord, StageResult, StoredError, StoredRow, StoreInfo

__all__ = ["FileState", "FinishedChunk", "Member", "RowKey", "StageRecord", "StageResult", "Store", "StoreInfo", "StoredError", "StoredRow"]
