"""Tests of whole ways through the product."""
