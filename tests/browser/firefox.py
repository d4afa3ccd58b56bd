"""Firefox, driven over WebDriver BiDi: what Playwright cannot do with a Firefox that it has not built itself.

https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from websocket import create_connection

from waiting import eventually

SETTINGS = {
    # the network is cut: whatever is not on this machine goes through a proxy that is not there
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "ui.prefersReducedMotion": 1,
    "dom.ipc.processPrelaunch.enabled": False,  # one tab needs no processes in reserve
}
KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
        "End": "\ue010", "Home": "\ue011"}  # fmt: skip
EVENTS = ["log.entryAdded", "network.beforeRequestSent", "network.responseCompleted"]


class Firefox:
    """One headless Firefox with one tab.

    Args:
        path: of its program.
        home: an empty folder, for its profile.
        patience: seconds for whatever it is asked to do.
        local: beginnings of addresses that do not leave this machine.

    `complaints` collects the console's errors and warnings, requests to other hosts and answers that are errors.
    """

    def __init__(self, path: str, home: Path, patience: float, local: tuple[str, ...]) -> None:
        self.patience, self.local = patience, local
        self.complaints: list[str] = []
        self.count = 0
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
        (home / "user.js").write_text("\n".join(lines))
        log = home / "log.txt"
        options = ["--headless", "--no-remote", "--profile", str(home), "--remote-debugging-port", "0", "about:blank"]
        with log.open("w") as file:
            env = os.environ | {"HOME": str(home)}
            self.process = subprocess.Popen([path, *options], stdout=file, stderr=file, env=env)
        try:
            address = self.until(lambda: re.search(r"BiDi listening on (ws://\S+)", log.read_text()), log.read_text)[1]
            self.socket = create_connection(f"{address}/session", timeout=patience, suppress_origin=True)
            self.send("session.new", capabilities={})
            self.tab = self.send("browsingContext.getTree")["contexts"][0]["context"]
            self.open("about:blank")
            # to this tab's events, now that it stands: a browser that still starts may never answer for all its tabs
            self.send("session.subscribe", events=EVENTS, contexts=[self.tab])
        except BaseException:
            self.process.kill()
            raise

    def until(self, look, say):
        """What `look()` gives, once it is true; else fails with what `say()` says."""
        found = eventually(lambda: self.process.poll() is not None or look(), say, self.patience)
        assert self.process.poll() is None, say()
        return found

    def send(self, method: str, **params: object) -> dict:
        """Gives a command and returns its result; on the way it listens to the page's events."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (message := json.loads(self.socket.recv())).get("id") != self.count:
            self.note(message.get("method"), message.get("params", {}))
        assert message["type"] == "success", f"{method}: {message.get('message')}"
        return message["result"]

    def note(self, event: str, params: dict) -> None:
        if event == "log.entryAdded":
            # Firefox's own warnings, such as those about style sheets, are not of type "console"
            if params["level"] == "error" or (params["level"] == "warn" and params["type"] == "console"):
                self.complaints.append(f"{params['level']}: {params['text']}")
        elif event == "network.beforeRequestSent" and not params["request"]["url"].startswith(self.local):
            self.complaints.append(f"asked another host: {params['request']['url']}")
        elif event == "network.responseCompleted" and params["response"]["status"] >= 400:
            self.complaints.append(f"{params['response']['status']}: {params['response']['url']}")

    def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        self.send("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})
        self.send("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def evaluate(self, function: str, *args: object) -> object:
        """What a function of JavaScript gives in the page, for arguments that JSON can carry."""
        call = f"(async () => JSON.stringify(await ({function})(...{json.dumps(args)})) ?? 'null')()"
        target = {"context": self.tab}
        found = self.send("script.evaluate", expression=call, target=target, awaitPromise=True, userActivation=True)
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"]["value"])

    def wait_for(self, function: str, *args: object) -> None:
        """Waits until a function of JavaScript is true."""
        self.until(lambda: self.evaluate(function, *args), lambda: f"{function} {args} stayed false: {self.complaints}")

    def press(self, key: str) -> None:
        keys = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        self.send("input.performActions", context=self.tab, actions=[{"type": "key", "id": "keys", "actions": keys}])

    def close(self) -> None:
        try:
            self.send("browser.close")
            self.process.wait(30)
        finally:
            self.process.kill()
