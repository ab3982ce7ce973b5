"""The workers: crawling, describing, enriching, embedding and upkeep."""
