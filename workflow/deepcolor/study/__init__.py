"""The user study: its design, its pages, and what people's answers say."""
