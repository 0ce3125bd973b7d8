"""Benchmarks of the product against plain tools. See README.md here."""
