"""The processes that move generations on; they call the services, nothing calls them."""
