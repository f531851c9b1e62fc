"""Parts of the bar above every page, a module a part: each draws itself, or nothing where it is not needed."""
