"""The page that people outside see by a link: drawn by the server, without a script and without anybody signed in."""

from core.api.share_page.routes import mounted

__all__ = ["mounted"]
