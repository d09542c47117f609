"""The edge: settings, stores, wiring, web, command line and jobs."""
