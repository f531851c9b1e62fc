"""The sample company on the pages: where it is offered, made and removed, and the switch to look as its people."""
