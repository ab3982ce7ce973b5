-- What metered sources were asked for, so that all servers together keep to the operator's daily grant.
CREATE TABLE metered_request (
    source    text NOT NULL,
    day       date NOT NULL,                        -- in UTC
    requests  integer NOT NULL CHECK (requests > 0),
    PRIMARY KEY (source, day)
);
