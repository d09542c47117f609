"""Real clients against a real server: the SDKs themselves, from Python, Node and a browser."""
