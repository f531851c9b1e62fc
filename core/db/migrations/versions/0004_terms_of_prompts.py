"""The words of the index of prompts can be listed, so that a beginning of a word is looked for as the words it begins.

A view of the index that holds nothing of its own (https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module).
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE generation_words_terms USING fts5vocab(generation_words, instance)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE generation_words_terms")
