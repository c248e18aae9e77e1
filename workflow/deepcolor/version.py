"""The version of DeepColor; by itself, so that a new one runs nothing again that does not state it."""

VERSION = "0.1.0"
