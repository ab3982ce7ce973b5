-- Places of calls in flight are each provider's own: `place` counts a provider's from 1. Those that were there are
-- HasData's, and the numbers of all that are made from now on are beyond what the code before looks at.
ALTER TABLE credit_slot
    ADD COLUMN provider text NOT NULL DEFAULT 'hasdata',
    ADD COLUMN place smallint;
UPDATE credit_slot SET place = number;
ALTER TABLE credit_slot
    ALTER COLUMN provider DROP DEFAULT,
    ALTER COLUMN place SET NOT NULL,
    ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (START WITH 101),
    ADD UNIQUE (provider, place);
