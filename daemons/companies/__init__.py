"""Finding companies and boards: on web pages, in the Common Crawl index, and place by place on the map."""
