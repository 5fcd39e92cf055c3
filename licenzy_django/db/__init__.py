"""What Django's ORM has no words for: functions in the database, conditions as SQL, bounded texts."""

__all__: list[str] = []
