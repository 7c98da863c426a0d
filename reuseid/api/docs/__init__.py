"""What is to be read about the API: its document, its problems, the guides."""
