"""The database refuses to alter or delete a version of mappings, whoever asks."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION mappings_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'versions of mappings are never altered or deleted (%)', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""
TRIGGER = """
CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION mappings_refuse_change();
"""
TABLES = ("mappings_mappingversion", "mappings_mappingchange")


class Migration(migrations.Migration):
    dependencies = [("mappings", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION mappings_refuse_change()"),
        *(
            migrations.RunSQL(TRIGGER.format(table=table), f"DROP TRIGGER {table}_immutable ON {table}")
            for table in TABLES
        ),
    ]
