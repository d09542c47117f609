"""Property tests: arithmetic and folds over random inputs."""
