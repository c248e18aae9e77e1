"""Fakes and builders that tests share, named for what they stand in for."""
