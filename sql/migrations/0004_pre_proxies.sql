-- What went over each proxy, so that its bill can be checked. Every process writes its own totals of a day, as often as
-- it likes: a repeated writing changes nothing.
CREATE TABLE proxy_spend (
    proxy     text NOT NULL,                        -- host and port, never its credentials
    day       date NOT NULL,                        -- in UTC
    spender   text NOT NULL,                        -- one process
    requests  bigint NOT NULL,
    failures  bigint NOT NULL,
    bytes     bigint NOT NULL,                      -- both ways, without what encryption adds
    PRIMARY KEY (proxy, day, spender)
);
