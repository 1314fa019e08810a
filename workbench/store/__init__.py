"""The results database: schema, upsert, queries. SQLite file by default."""

from workbench.store.database import FileState, Member, RowKey, StageRecord, StageResult, Store, StoredRow

__all__ = ["FileState", "Member", "RowKey", "StageRecord", "StageResult", "Store", "StoredRow"]
