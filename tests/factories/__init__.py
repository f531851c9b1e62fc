"""What tests and benchmarks need to be there, made through the services of the product; one module a domain."""
