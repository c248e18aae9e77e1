"""What the web pages of the study and the app share."""
