"""`python -m app.cli` is `piying`."""

from app.cli import main

main()
