"""First paint of every page in Debian's chromium, on the house of `bench_pages`, served by this process over a real socket.

Run: python -m tests.benchmarks.bench_paint [members] [months]. First contentful paint, from the request on, as the browser says it: the median of
a few loads after one to warm up. Says so and does nothing where there is no browser.
"""

from __future__ import annotations

import statistics
import sys
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from tests import chromium
from tests.benchmarks.bench_pages import addressed, demonstration

ROUNDS = 3
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


class Silent(WSGIRequestHandler):
    """Writes no line a request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def main(members: int = 10_000, months: int = 3) -> None:
    if chromium.path() is None:
        print("paint: there is no chromium here; nothing was measured")
        return
    medians: dict[str, float] = {}
    with demonstration(members, months) as (house, roles, known), chromium.started() as browser:
        server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        name = str(house.app.config["SESSION_COOKIE_NAME"])
        for role in ("", *roles):
            context = browser.new_context(base_url=address)
            if role:
                held = roles[role].client.get_cookie(name)
                assert held is not None
                context.add_cookies([{"name": name, "value": held.value, "url": address, "httpOnly": True}])
            tab = context.new_page()
            for page, path in addressed(known):
                if page.role != role or path is None:
                    continue
                paints = []
                for _ in range(ROUNDS + 1):
                    tab.goto(path)
                    tab.wait_for_function(_PAINT)
                    paints.append(float(tab.evaluate(_PAINT)))
                medians[f"{role or 'nobody':<14}{page.address.split('?')[0]}"] = statistics.median(paints[1:])
            context.close()
        server.shutdown()
    print(f"paint: N = {members:,} members, {months} months, {len(medians)} pages, {ROUNDS} loads each")
    for shown, taken in sorted(medians.items(), key=lambda one: -one[1]):
        print(f"paint: {taken:7.0f} ms  {shown}")
    print(f"paint: median {statistics.median(medians.values()):.0f} ms, slowest {max(medians.values()):.0f} ms")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
