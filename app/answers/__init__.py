"""Marshmallow shapes of what the management API answers: the other half of `app.shapes`, and of the published document.

Promise: what is not declared here does not leave. Answers are numbers, states, ids and times of ours; of people only what is masked, or a
rule of form.
"""
