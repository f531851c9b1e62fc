"""The command line of people who order: a client over REST, so it runs wherever the API is reached. English only.

It imports nothing of the product but `core.rest_client`; what operators run is `core.admin`.
"""
