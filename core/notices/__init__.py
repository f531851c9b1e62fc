"""What happened that people are told of, written down with its cause; sending it is `core.notifications`' part."""
