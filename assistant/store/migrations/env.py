"""Run by alembic: the connection, and its transaction, come from `database.py`."""

from alembic import context

from assistant.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
