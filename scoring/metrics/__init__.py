"""What the papers compute: plain numbers in, plain numbers out. Neither Django nor torch."""
