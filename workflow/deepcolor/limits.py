"""A number that training and evaluation share; without prose, whose edits would train anew."""

# Identical pictures have an infinite PSNR. It is capped, so that means stay finite.
MOST_DECIBELS = 100.0
