"""Career pages of companies without a job-board system: sitemaps, JSON-LD, plain HTML and PDF files."""
