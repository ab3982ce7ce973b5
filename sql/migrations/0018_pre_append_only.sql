-- What was spent stays written down: entries are added, and never changed.
CREATE TRIGGER credit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
