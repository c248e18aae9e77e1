"""Tables, figures and pages that tell what an evaluation found."""
