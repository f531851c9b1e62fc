"""Domain, services and workers of the product; it knows nothing of Streamlit."""
