"""The web server of a study."""
