"""The vendors that make video; importing this package registers all of them."""

from core.providers import loader as loader
