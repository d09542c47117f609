"""Schema revisions of both stores, their runner, and the grants as code."""
