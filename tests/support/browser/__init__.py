"""A real browser that looks at a page: what it asked the network for, what its console said, what stands in it.

Chromium is told what to do by its DevTools protocol over a pair of pipes: JSON, a NUL behind each message.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.browser.program import find_chromium, libraries

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--in-process-gpu",
    "--disable-dev-shm-usage", "--remote-debugging-pipe", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
# The protocol wants file descriptors 3 and 4, which `pass_fds` cannot promise.
_AS_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_SAID = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


@dataclass
class Browser:
    """One process with one tab. `requests` and `said` are of the page that is open."""

    folder: Path
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        program = find_chromium()
        their_input, self._output = os.pipe()
        self._input, their_output = os.pipe()
        start = [sys.executable, "-c", _AS_3_AND_4, str(their_input), str(their_output), str(program)]
        with (self.folder / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*start, *_FLAGS, f"--user-data-dir={self.folder / 'profile'}", "about:blank"],
                pass_fds=(their_input, their_output),
                env={**os.environ, **libraries(program)},
                stderr=log,
            )
        os.close(their_input)
        os.close(their_output)
        self._rest, self._number, self._session = b"", 0, ""
        self._session = self._attached()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._input)
        os.close(self._output)

    def _attached(self) -> str:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Network", "Runtime"):
            self._call(f"{domain}.enable")
        return self._session

    def open(self, page: Path, *, dark: bool = False, width: int = 1240) -> None:
        """Load a file, and wait until all of it is there."""
        self.requests.clear()
        self.said.clear()
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._call("Page.navigate", url=page.as_uri())
        while self.value("document.readyState + location.protocol") != "completefile:":
            pass

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """A picture of the whole page."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self._call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._output, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._noted(answer)
        raise AssertionError(f"the browser went away: {(self.folder / 'browser.log').read_text()[-2000:]}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._rest:
                if not (read := os.read(self._input, 1 << 20)):
                    return
                self._rest += read
            message, _, self._rest = self._rest.partition(b"\0")
            yield json.loads(message)

    def _noted(self, event: Mapping[str, Any]) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        if event.get("method") in _SAID:
            self.said.append(json.dumps(event["params"]))
