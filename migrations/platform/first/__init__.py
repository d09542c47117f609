"""Parts of the platform store's first revision, frozen with it; each imports nothing of ours."""
