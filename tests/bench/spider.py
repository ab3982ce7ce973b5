"""What ingest is compared with: a Scrapy spider over the same market whose pipeline stores item by item.

It reads the pages with Vakanz's own parsers, so that the comparison is one of machinery. Run as
`python -m tests.bench.spider SIMULATOR DSN`; the last line that it prints is one JSON object.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import psycopg
import scrapy
from scrapy.crawler import CrawlerProcess
from yarl import URL

from daemons.sources import SOURCES
from lib.net.messages import Request, Response
from lib.posting.writing import stated
from tests.bench.lab import played_boards

_TABLE = """
CREATE TABLE item (source text, tenant text, external_id text, title text, company text, url text, apply_url text,
                   places text[], stated jsonb, posted_at timestamptz, valid_through timestamptz, html text,
                   PRIMARY KEY (source, tenant, external_id))
"""
_INSERT = """
INSERT INTO item VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s)
ON CONFLICT (source, tenant, external_id) DO UPDATE SET title = excluded.title, html = excluded.html
"""


class BoardSpider(scrapy.Spider):
    name = "boards"
    simulator = ""
    dsn = ""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.seen: set[tuple[str, str, str]] = set()

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for board in await played_boards(self.simulator):
            yield self._ask(board.source, board.tenant, None)

    def _ask(self, source: str, tenant: str, cursor: str | None) -> scrapy.Request:
        request = SOURCES[source].request(tenant, cursor)
        asked = URL(request.url).update_query(request.params)
        return scrapy.Request(
            str(URL(self.simulator).join(asked.relative())), headers={"Host": asked.host or ""},
            cb_kwargs={"source": source, "tenant": tenant, "request": request},
            dont_filter=True,  # several boards differ in the Host header only
        )  # fmt: skip

    def parse(
        self, response: scrapy.http.Response, source: str, tenant: str, request: Request
    ) -> Iterator[dict[str, Any] | scrapy.Request]:
        answer = Response(request=request, url=request.url, status=200, headers={}, body=response.body)
        page = SOURCES[source].parse(tenant, answer)
        for row in page.rows:
            if (source, tenant, row.external_id) not in self.seen:  # some lists come once per language
                self.seen.add((source, tenant, row.external_id))
                yield {"source": source, "tenant": tenant, "posting": row}
        if page.cursor is not None:
            yield self._ask(source, tenant, page.cursor)


class PostgresPipeline:
    """One INSERT and one COMMIT per item, through the driver that such pipelines use."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> PostgresPipeline:
        return cls(crawler)

    def open_spider(self) -> None:
        self._connection = psycopg.connect(self._crawler.spider.dsn)
        self._connection.execute(_TABLE)
        self._connection.commit()
        self.items = 0
        self.started = time.perf_counter()

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        posting = item["posting"]
        self._connection.execute(
            _INSERT,
            (
                item["source"], item["tenant"], posting.external_id, posting.title, posting.company, posting.url,
                posting.apply_url, list(posting.places), orjson.dumps(stated(posting)).decode(), posting.posted_at,
                posting.valid_through, posting.html,
            ),
        )  # fmt: skip
        self._connection.commit()
        self.items += 1
        return item

    def close_spider(self) -> None:
        seconds = time.perf_counter() - self.started
        self._connection.close()
        sys.stdout.write(orjson.dumps({"items": self.items, "seconds": seconds}).decode() + "\n")


def main(simulator: str, dsn: str) -> None:
    """Crawls until everything is stored."""
    process = CrawlerProcess(
        {
            "ITEM_PIPELINES": {PostgresPipeline: 1},
            "LOG_LEVEL": "ERROR",
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(BoardSpider, simulator=simulator, dsn=dsn)
    process.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
