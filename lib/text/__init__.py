"""What a posting's words say: pure readers of text, language, places, money, dates and titles. Nothing here does
input or output."""
