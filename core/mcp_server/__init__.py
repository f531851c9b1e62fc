"""A server for agents (Model Context Protocol): a client over REST, with the token and the caps of who runs it.

It imports nothing of the product but `core.rest_client`. English only. Needs the extra `mcp`.
"""
