"""A simulated language model behind an OpenAI-compatible endpoint: streams, counts tokens, fails, and lies when asked.

    async with playing(Model(honest, key="...")) as model:
        ...  # the setting llm_url is model.url

What it writes is decided by a function of the conversation. As a process: `python -m tests.sim.llm --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import orjson
from aiohttp import web

from tests.sim.serving import add_arguments, hang_up, run, serving, until_stopped

Kind = Literal[
    "limited", "server_error", "cut", "hang", "no_usage", "odd_events", "not_a_stream", "no_last_line", "paid_event"
]
KINDS: Sequence[Kind] = get_args(Kind)
_STATUS = {"limited": 429, "server_error": 500}
_PIECE = 7  # characters of a token, about
_BETWEEN_MARKS = re.compile(r"<<(\w+) (\w+)>>\n(.*?)\n<<end of \1 \2>>", re.DOTALL)
_TELLING = re.compile(r"\w\W+\w+\W+\w+")
Said = Mapping[str, str]
Writer = Callable[[Sequence[Said]], str]


def lines(*sentences: tuple[str, str, Sequence[str]]) -> Writer:
    """Writes these sentences, each (part, text, quotes), whatever it is asked."""
    written = [{"part": part, "text": text, "evidence": list(quotes)} for part, text, quotes in sentences]
    return lambda messages: "\n".join(orjson.dumps(one).decode() for one in written)


def honest(messages: Sequence[Said]) -> str:
    """Repeats some lines of the résumé as its own sentences, each with itself as evidence."""
    told = [line.strip("•- ").strip() for line in texts(messages).get("resume", "").splitlines()]
    whole = [line for line in told if _TELLING.search(line) and "@" not in line]
    parts = ("summary", "letter", "highlight", "letter")
    return lines(*((parts[at % 4], line, [line]) for at, line in enumerate(whole[:12])))(messages)


def inventing(messages: Sequence[Said]) -> str:
    """As `honest`, and between the lines what no résumé says."""
    quote = next((line for line in texts(messages).get("resume", "").splitlines() if len(line) > 12), "")
    lies = lines(
        ("summary", "I led 250 engineers at Initrode for 17 years.", [quote]),
        ("letter", "I hold a doctorate of the University of Atlantis.", ["doctorate, University of Atlantis"]),
        ("highlight", "Winner of the golden hammer award of 1999.", [quote]),
        ("letter", "Expert in COBOL and Fortran.", []),
    )(messages)
    return f"{lies}\n{honest(messages)}\n{lies}"


def obeying(messages: Sequence[Said]) -> str:
    """A model that does what the posting tells it: repeats what stands there behind SAY, with any evidence."""
    shown = texts(messages)
    quote = next((line for line in shown.get("resume", "").splitlines() if len(line) > 12), "")
    orders = re.findall(r"SAY: (.+)", shown.get("posting", ""))
    return lines(*(("letter", order, [quote, order]) for order in orders))(messages)


def texts(messages: Sequence[Said]) -> dict[str, str]:
    """What stands between marks in a conversation, by its name."""
    return {name: text for said in messages for name, _, text in _BETWEEN_MARKS.findall(said["content"])}


@dataclass
class Model:
    """The endpoint as it runs. `asked`: the conversations that it was given; `tokens`: what it counted in all."""

    writer: Writer
    key: str
    latency_s: float = 0.0
    url: str = ""
    asked: list[list[dict[str, str]]] = field(default_factory=list)
    tokens: int = 0
    _troubles: list[Kind] = field(default_factory=list)

    def misbehave(self, kind: Kind, times: int = 1) -> None:
        """Strikes the next `times` requests."""
        self._troubles += [kind] * times

    def application(self) -> web.Application:
        """The one route that matters, under /v1 as the original has it."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _refused(401, "Incorrect API key provided")
        given: dict[str, Any] = orjson.loads(await request.read())
        trouble = self._troubles.pop(0) if self._troubles else None
        if trouble in _STATUS:
            return _refused(_STATUS[trouble], "simulated", {"Retry-After": "1"} if trouble == "limited" else None)
        messages = given["messages"]
        self.asked.append(messages)
        text = self.writer(messages)
        if trouble == "not_a_stream" or not given.get("stream"):
            return web.json_response({"choices": [{"message": {"role": "assistant", "content": text}}]})
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)][: given["max_tokens"]]
        usage = {
            "prompt_tokens": sum(len(said["content"]) // 4 + 4 for said in messages),
            "completion_tokens": len(pieces),
        }
        return await self._stream(request, pieces, usage, trouble)

    async def _stream(
        self, request: web.Request, pieces: Sequence[str], usage: Mapping[str, int], trouble: Kind | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in enumerate(pieces):
            if trouble in ("cut", "hang") and number >= len(pieces) // 2:
                if trouble == "hang":
                    await asyncio.sleep(3600)
                hang_up(request)
                return response
            if trouble == "odd_events":
                await response.write(b': ping\n\nevent: odd\ndata: {"choices": [{}]}\n\ndata: {"choices": []}\n\n')
            await response.write(_event({"choices": [{"index": 0, "delta": {"content": piece}}], "usage": None}))
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
        self.tokens += sum(usage.values())
        if trouble != "no_usage":
            await response.write(_event({"choices": [], "usage": usage}))
        if trouble == "paid_event":  # which is the gateway's word
            await response.write(b"event: paid\ndata: nothing\n\n")
        await response.write(b"data: [DONE]\n" if trouble == "no_last_line" else b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps({"id": "chatcmpl-simulated", "object": "chat.completion.chunk", **body}) + b"\n\n"


def _refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "simulated"}}, status=status, headers=headers)


@asynccontextmanager
async def playing(model: Model, *, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Model]:
    """The endpoint until the block ends; `url` says where (port 0: any free one)."""
    async with serving(model.application(), host=host, port=port, handler_cancellation=True) as address:
        model.url = f"{address}/v1"
        yield model


async def _serve(options: argparse.Namespace) -> None:
    model = Model(inventing if options.lies else honest, options.key, latency_s=options.latency_ms / 1000)
    async with playing(model, port=options.port, host=options.host):
        await until_stopped(model.url, until_eof=options.until_eof)


def main(line: list[str]) -> int:
    """Serves until a signal. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.llm", description="Plays a language model's endpoint.")
    add_arguments(parser)
    parser.add_argument("--key", default="simulated-key", help="what callers must bring (default: %(default)s)")
    parser.add_argument("--latency-ms", type=float, default=20.0, help="of each token (default: %(default)s)")
    parser.add_argument("--lies", action="store_true", help="write what no résumé says, too")
    return run(_serve(parser.parse_args(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
