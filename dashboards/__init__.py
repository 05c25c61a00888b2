"""What do people see? The Streamlit console, which speaks HTTP to the API and imports nothing else of ours."""
