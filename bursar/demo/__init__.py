"""An emulated AWS account to try Bursar on: a moto server made believable, and a company's estate for it."""
