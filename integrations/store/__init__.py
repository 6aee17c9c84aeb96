"""Where state lives: SQLite and PostgreSQL, DynamoDB, and the anchors of the ledger outside."""
