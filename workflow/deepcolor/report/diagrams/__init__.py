"""Diagrams of networks and of the workflow."""
