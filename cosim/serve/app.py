"""The server: the page and its files, what can be chosen, recordings at hand, and a socket for each client.

Only who asks for this machine by a name that it was told to answer to is served, so that no other site's page can reach
it through a name of its own (DNS rebinding); a socket besides only to pages that this server served (Origin).
"""

import asyncio
import mimetypes
from pathlib import Path

from aiohttp import WSCloseCode, web
from yarl import URL

from cosim.serve import choices, session

PAGE = Path(__file__).parent / "page"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                               "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
                               "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin"}
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml",
         ".flac": "audio/flac"}
HEARTBEAT_S = 20
SESSIONS, CHOICES, HOST, CLIENTS = (web.AppKey(name, object) for name in ("sessions", "choices", "host", "clients"))


def host_of(authority):
    """The host of `host:port`, an IPv6 one without its brackets; "" where it is none."""
    try:
        return URL(f"http://{authority}").host or ""
    except ValueError:
        return ""


@web.middleware
async def guard(request, handler):
    """Refuse whoever asks for another host than this server's."""
    given, host = request.app[HOST], host_of(request.headers.get("Host", ""))
    if not host or (given not in EVERYWHERE and host not in (*LOOPBACK, given)):
        raise web.HTTPForbidden(text=f"host {host[:80]!r}: this server answers to {given}")
    return await handler(request)


async def add_headers(_, response):
    response.headers.update(HEADERS)


def file_response(path):
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith(("text/", "image/svg")) else ""
    return web.FileResponse(path, headers={"Content-Type": kind + charset})


async def page(request):
    """A file of the page by its name; no other path exists."""
    path = PAGE / (request.match_info.get("name") or "index.html")
    if path not in PAGE.iterdir():
        raise web.HTTPNotFound(text="no such file")
    return file_response(path)


async def clip(request):
    """A recording at hand, for the page to play."""
    name = request.match_info["name"]
    if name not in choices.clips():
        raise web.HTTPNotFound(text="no such recording")
    return file_response(choices.CLIPS / name)


async def listed(request):
    return web.json_response(request.app[CHOICES].listed())


async def listen(request):
    """The socket of a client."""
    origin, wanted = request.headers.get("Origin", ""), f"http://{request.headers['Host']}"
    if origin != wanted:
        raise web.HTTPForbidden(text=f"origin {origin[:80]!r}: only the page of {wanted} may listen")
    socket = web.WebSocketResponse(max_msg_size=session.MOST_MESSAGE, heartbeat=HEARTBEAT_S, compress=False, timeout=3)
    await socket.prepare(request)
    sessions = request.app[SESSIONS]
    if len(sessions) >= request.app[CLIENTS]:
        await socket.send_json({"type": "error", "message": f"{len(sessions)} clients listen already: close another "
                                "page, or start with more --clients"})
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
        return socket
    one = session.Session(socket, request.app[CHOICES])
    sessions.add(one)
    try:
        await one.run()
    finally:
        sessions.discard(one)
    return socket


async def end_sessions(app):
    await asyncio.gather(*(one.end() for one in tuple(app[SESSIONS])), return_exceptions=True)


def make(offered, host="127.0.0.1", clients=4):
    """The application: `offered` are the `Choices`, `host` what it answers to besides loopback."""
    app = web.Application(middlewares=[guard], client_max_size=1024)
    app[CHOICES], app[HOST], app[CLIENTS], app[SESSIONS] = offered, host, clients, set()
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(end_sessions)
    app.add_routes([web.get("/", page), web.get("/page/{name}", page), web.get("/choices.json", listed),
                    web.get("/clips/{name}", clip), web.get("/listen", listen)])
    return app
